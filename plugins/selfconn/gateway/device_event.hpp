// What a device publishes on godwit/events: {"message_id": "...", "event": "opened", "at": ...}. Pure.
//
// `at` is optional: milliseconds since 1970 or RFC 3339 in UTC ("2026-11-21T08:00:00.5Z").
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plugins/selfconn/codec/types.hpp"

namespace selfconn {

struct ParsedEvent {
  std::string message_id;
  uint32_t subkind = 0;     // GW_RECEIPT_*
  uint64_t at_wall_ms = 0;  // 0 = not said
};

// Nothing when the payload is anything else: not JSON, another shape, an unknown event.
std::optional<ParsedEvent> parse_event(godwit::mqtt::Bytes payload);

// Nothing when the text is no point in time.
std::optional<uint64_t> parse_rfc3339_ms(std::string_view text);

}  // namespace selfconn
