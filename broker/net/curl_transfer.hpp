// CurlTransfer is one request on one curl handle: it sets the handle up, collects the answer within its limits, and
// derives what became of the request.
//
// How the three-way truth comes about: curl counts the bytes of the request that it wrote (REQUEST_SIZE); none means
// that the vendor cannot have seen anything. curl also repeats a request by itself when a kept connection dies without
// an answer, POST included; a hook before each sending refuses that once bytes have left, for the vendor may have acted
// on them. Everything here runs on the client's thread.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <string>

#include "broker/net/http_client.hpp"
#include "broker/net/origin.hpp"

namespace godwit::net {

class CurlTransfer {
 public:
  CurlTransfer(HttpRequest request, HttpDone done, SteadyTime sent_at, SteadyTime expires);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  // Prepares `easy` (owned by the caller, longer-lived than this) to carry the request.
  void prepare(CURL* easy, const HttpPoolOptions& options, const Origin& origin, const TlsIdentity& identity,
               const std::string& proxy, SteadyTime now);

  // One of these, once, while the handle still knows what it did; then deliver, once the pool has let go of it.
  void finish(CURLcode result, SteadyTime now);                             // curl says it is over
  void fail(HttpResponse::Fault fault, std::string error, SteadyTime now);  // given up: closed, expired in the queue
  void deliver();                                                           // calls done

  uint64_t cookie() const { return request_.cookie; }
  SteadyTime expires() const { return expires_; }
  CURL* easy() const { return easy_; }

 private:
  static size_t on_header(char* data, size_t size, size_t count, void* self);
  static size_t on_body(char* data, size_t size, size_t count, void* self);
  static int before_sending(void* self, char*, char*, int, int);
  size_t take_header(std::string_view line);
  size_t take_body(std::string_view bytes);
  bool too_slow(size_t more);
  long bytes_out() const;
  void stamp(SteadyTime now);

  HttpRequest request_;
  HttpDone done_;
  const SteadyTime sent_at_, expires_;
  CURL* easy_ = nullptr;
  bool may_send_ = false;  // the way to the vendor stands
  long tunnel_bytes_ = 0;  // sent before that
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  char error_text_[CURL_ERROR_SIZE] = {};

  uint32_t max_body_ = 0, max_header_ = 0, min_rate_ = 0;
  std::string why_aborted_;  // our own reason, better than curl's
  HttpResponse response_;
  size_t header_bytes_ = 0, received_ = 0;
  SteadyTime first_byte_{};
};

}  // namespace godwit::net
