// The HTTP request with which a WebSocket begins, and the answer to it (RFC 6455, 4.2; MQTT 5.0, 6). Pure.
#pragma once

#include <string>
#include <string_view>

namespace selfconn {

struct Upgrade {
  enum class State : uint8_t { need_more, accepted, refused } state = State::need_more;
  size_t request_size = 0;  // what follows in the input is frames
  std::string response;     // to be sent as it is; after a refusal the connection is closed
};

inline constexpr size_t kMaxUpgradeRequest = 8 * 1024;
inline constexpr std::string_view kWebSocketPath = "/mqtt";

// `input` is everything that has come so far.
Upgrade answer_upgrade(std::string_view input);

}  // namespace selfconn
