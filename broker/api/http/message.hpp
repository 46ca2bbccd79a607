// Request and Response: what handlers read and write. No Beast, no sockets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/api/http/ip.hpp"

namespace godwit::http {

enum class Method : uint8_t { get, head, post, put, patch, del, options, other };
std::string_view to_string(Method);

struct Header {
  std::string_view name, value;
};

// The other end of a connection.
struct Peer {
  IpAddress ip;
};

// A request with its body (empty where the body is streamed). All views live until the handler returns: what an answer
// needs later is copied.
struct Request {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view path, query;  // as sent, not decoded; the query without its '?'
  std::span<const Header> headers;
  std::string_view authorization, content_type, idempotency_key;  // the headers that hot calls need
  bool forwarded = false;                                         // a proxy stands between: the peer is not the caller
  std::string_view id;                                            // X-Request-Id, the caller's or ours
  std::string_view body;
  const Peer* peer = nullptr;

  // The first header of that name, any case; empty when there is none.
  std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string_view content_type = "application/json";  // static text; empty: none, or among `headers`
  std::string body;
  std::vector<std::pair<std::string_view, std::string>> headers;  // names are static text
};

std::string_view reason_phrase(int status);
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace godwit::http
