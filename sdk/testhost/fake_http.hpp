// FakeHttp is a scripted godwit.http/1: it records requests and answers as told, by the test's clock, without a
// network.
//
// Any thread may send; `done` always comes through the lane. A request without an answer (Silent) ends at its deadline
// or at the pool's request_timeout_ms, whichever is first, as MAYBE_SENT; with neither it never ends: that is what a
// test of deadlines is for.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <godwit/ext/http.h>

#include "sdk/testhost/fake_service.hpp"
#include "sdk/testhost/lane.hpp"

namespace godwit::testhost {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct SentRequest {
  std::string origin, method, path, body;
  Headers headers;
  uint64_t deadline_mono_ns = 0;
};

struct HttpAnswer {
  uint32_t delivery = GW_HTTP_ANSWERED;
  int32_t status = GW_OK;  // of the call
  uint32_t http_status = 200;
  Headers headers = {};
  std::string body = "{}";
  std::string error = {};
  uint64_t after_ns = 1'000'000;
  bool is_silent = false;

  static HttpAnswer failed(uint32_t delivery, int32_t status, std::string error);
  static HttpAnswer silent();
};

class FakeHttp final : public FakeService {
 public:
  FakeHttp(Lane& lane, std::function<uint64_t()> now_ns);

  // Called for each request, on the sender's thread. The default answers 200 {}.
  void script(std::function<HttpAnswer(const SentRequest&)> script);
  std::vector<SentRequest> requests() const;

  const void* table() const override { return &table_; }
  void close() override;
  std::optional<uint64_t> next_due_ns() const override;
  void turn(uint64_t now_ns) override;

 private:
  struct Open {
    uint64_t pool, cookie, due_ns, sent_ns;
    HttpAnswer answer;
    gw_http_done done;
    void* arg;
  };
  struct Pool {
    std::string origin;
    uint64_t timeout_ns;
    uint32_t max_streams;
  };
  int32_t open_pool(const gw_http_pool_options& options, uint64_t* pool);
  int32_t send(uint64_t pool, const gw_http_request& request, gw_http_done done, void* arg);
  void end_if(const std::function<bool(const Open&)>& matches, const HttpAnswer* instead);
  void deliver(Open open);

  gw_http table_;
  Lane& lane_;
  const std::function<uint64_t()> now_ns_;
  mutable std::mutex mutex_;  // guards all below
  std::function<HttpAnswer(const SentRequest&)> script_;
  std::vector<SentRequest> requests_;
  std::vector<Open> open_;
  std::map<uint64_t, Pool> pools_;
  uint64_t last_pool_ = 0;
  bool closed_ = false;
};

}  // namespace godwit::testhost
