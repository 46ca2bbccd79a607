// parse_message: the JSON of one message -> a checked draft, or everything that is wrong with it. Pure: bytes in, value
// out.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "broker/api/options.hpp"
#include "broker/api/parse/faults.hpp"
#include "broker/engine/broker.hpp"

namespace godwit {

struct MessageRules {
  size_t content_bytes = 4096;
  unsigned json_depth = 32;
  int64_t default_ttl_ms = 24LL * 3600 * 1000, max_ttl_ms = 28LL * 24 * 3600 * 1000;
  int64_t max_schedule_ms = 30LL * 24 * 3600 * 1000;

  static MessageRules from(const ApiOptions& options);
};

// `idempotency_header`: the value of Idempotency-Key, or empty; a key in the body must not contradict it. Unset in the
// draft: app, id, accepted_ms, and the hashes that intake makes. A deliver_at that has just passed is kept, not
// refused: a repeated call must be judged as the first one was. A message that none of the app's channels could carry
// is a fault; some unknown ones among `options.channels` are not, because callers serve several brokers.
std::optional<MessageDraft> parse_message(std::string_view json, const MessageRules& rules, const AppRules& app,
                                          WallMs now, std::string_view idempotency_header, Faults& faults);

// The members that are known, by object; the OpenAPI document is checked against them.
namespace message_members {
std::span<const std::string_view> top();
std::span<const std::string_view> to();
std::span<const std::string_view> notification();
std::span<const std::string_view> options();
}  // namespace message_members

}  // namespace godwit
