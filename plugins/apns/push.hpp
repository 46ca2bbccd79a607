// A message as a request to APNs: path, headers and body. Pure functions, tested without a network.
//
// Facts: Apple, "Sending notification requests to APNs" and "Generating a remote notification" (apns.md §3, §4, §9).
//
// An address is HEX, or sandbox:HEX / production:HEX for a token that knows where it belongs, or broadcast:ID for a
// Live Activity channel. `overrides.apns` of a message is merged into the payload (RFC 7396); its member `headers`
// holds apns-* headers instead and does not get into the payload.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <godwit/message.hpp>

#include "config.hpp"

namespace apns {

struct Address {
  std::string_view token;  // HEX, or the channel's id
  Environment environment = Environment::production;
  bool is_broadcast = false;
};
// Error: what a right one looks like.
godwit::Result<Address> parse_address(std::string_view text, Environment fallback);

// What does not depend on the target, so that a message to many devices is rendered once.
struct Rendered {
  std::string message_id;
  std::string body, push_type, topic, priority, collapse_id;
  std::string expiration;  // fixed by the caller; empty: from the time-to-live
  bool own_topic = false;  // the message chose it
};
// The error's message begins with a code ("PayloadTooLarge: the payload has …"); its `where` is the caller's field.
godwit::Result<Rendered> render(const Config& config, const godwit::Message& message, uint64_t now_wall_ms);
// The way of everything that payload.hpp does not take for plain.
godwit::Result<Rendered> render_by_tree(const Config& config, const godwit::Message& message, uint64_t now_wall_ms);

// The UUID of this message to this address: the same over retries, so that a repeat can be traced at Apple.
void write_apns_id(std::string_view message_id, std::string_view address, std::string& out);

// A request without `authorization`. Filled again for each push, so that its memory is kept; the headers are views on
// it, on the Rendered and on the address.
struct Push {
  Push() = default;
  Push(const Push&) = delete;
  Push& operator=(const Push&) = delete;
  std::string path, id, expiration;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};
void write_push(const Config& config, const Rendered& rendered, const Address& address, const godwit::Message& message,
                uint64_t now_wall_ms, Push& push);

}  // namespace apns
