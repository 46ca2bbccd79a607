// What the HTTP API needs to know from the configuration. Plain values with safe defaults; `ApiKeys` is the part that a
// reload may replace while the server runs, everything else is read once at start.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/message/message.hpp"

namespace godwit {

// What an app's messages are judged by.
struct AppRules {
  RoutingMode routing = RoutingMode::best;  // of messages that name none
  std::vector<std::string> channels;        // that it may use; empty: not looked at

  bool may_use(const std::string& channel) const {
    return channels.empty() || std::find(channels.begin(), channels.end(), channel) != channels.end();
  }
};

// One app: who may speak for it, from where, how much.
struct ApiApp {
  std::string id;
  std::vector<std::string> server_keys;  // plain, or "sha256:" and 64 hexadecimal digits
  std::vector<std::string> client_keys;
  std::vector<std::string> allow_ips;  // CIDR or single addresses for server calls; empty: from anywhere
  // Quotas; 0: unlimited. Up to one second's worth may come at once. Over it the answer is 429 with Retry-After.
  double requests_per_second = 0;
  double messages_per_second = 0;
  AppRules rules = {};
};

struct ApiKeys {
  std::vector<ApiApp> apps;
  std::vector<std::string> admin_keys;  // as server_keys
};

// Bounds on what a caller can make us hold. Raising one costs memory per connection, never correctness.
struct ApiLimits {
  size_t body_bytes = 256 * 1024;   // of a whole request; of a line where the body is streamed
  size_t header_bytes = 16 * 1024;  // request line and header together
  unsigned json_depth = 32;
  size_t content_bytes = 4096;        // notification and data of a message, as they go to the device
  int64_t read_timeout_ms = 10'000;   // for a whole header or body; for the next piece where the body is streamed
  int64_t write_timeout_ms = 30'000;  // without progress while an answer goes out
  int64_t idle_timeout_ms = 75'000;   // between two requests of a connection
  unsigned connections = 20'000;
  unsigned connections_per_address = 2'000;
  unsigned pipeline = 64;                 // requests of one connection that are answered at the same time
  size_t unread_answers_bytes = 8 << 20;  // of a streamed batch whose sender does not read yet
  size_t event_buffer_bytes = 1 << 20;    // of a reader of /v1/events who falls behind; then it is cut off
};

struct ApiOptions {
  std::vector<std::string> listen = {"127.0.0.1:8480"};  // address:port, [v6]:port; port 0: any free one
  unsigned threads = 1;                                  // I/O threads; one serves about 50,000 requests/s
  ApiLimits limits;
  ApiKeys keys;
  std::vector<std::string> connect_urls;  // of the long connection, handed to devices: mqtt://host:1883, ws://…
  int64_t credential_life_ms = 365LL * 24 * 3600 * 1000;
  int64_t max_ttl_ms = 28LL * 24 * 3600 * 1000;
  int64_t default_ttl_ms = 24LL * 3600 * 1000;
  int64_t max_schedule_ms = 30LL * 24 * 3600 * 1000;  // how far ahead deliver_at may lie
};

}  // namespace godwit
