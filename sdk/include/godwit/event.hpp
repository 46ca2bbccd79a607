// Event: something that happened without being asked for. Its strings are borrowed for the call that takes it.
#pragma once

#include <string_view>

#include <godwit/text.hpp>

namespace godwit {
inline namespace sdk {

struct Event {
  uint32_t kind = 0;  // GW_EVENT_*
  uint32_t subkind = 0;
  uint32_t flags = 0;
  uint64_t seq = 0;
  uint64_t at_wall_ms = 0;         // 0 = now
  std::string_view event_id = {};  // repeats are dropped by it: derive it from the vendor's ids
  std::string_view address = {};
  std::string_view vendor_id = {};
  std::string_view message_id = {};
  std::string_view connection_id = {};
  std::string_view payload = {};

  // `kind`: GW_RECEIPT_*. Name the message by the vendor_id of its outcome, or by message_id and address.
  static Event receipt(uint32_t kind, std::string_view vendor_id, std::string_view event_id, uint64_t at_wall_ms = 0) {
    return Event{.kind = GW_EVENT_RECEIPT,
                 .subkind = kind,
                 .at_wall_ms = at_wall_ms,
                 .event_id = event_id,
                 .vendor_id = vendor_id};
  }
  // For vendors that report only how many of a push arrived: {"of": n, "delivered": n, "opened": n, "manufacturer":
  // "xiaomi"}, each since the last time, about what was sent at `sent_wall_ms`. They count as rates of kind vendor.
  static Event figures(std::string_view vendor_id, std::string_view event_id, std::string_view json,
                       uint64_t sent_wall_ms) {
    Event event = receipt(GW_RECEIPT_DELIVERED, vendor_id, event_id, sent_wall_ms);
    event.payload = json;
    return event;
  }
  static Event token_invalid(std::string_view address, std::string_view event_id, uint64_t since_wall_ms = 0) {
    return Event{.kind = GW_EVENT_TOKEN_INVALID, .at_wall_ms = since_wall_ms, .event_id = event_id, .address = address};
  }
  static Event token_changed(std::string_view address, std::string_view token, std::string_view event_id) {
    return Event{.kind = GW_EVENT_TOKEN_CHANGED, .event_id = event_id, .address = address, .payload = token};
  }

  gw_event raw() const {
    gw_event e{};
    e.size = sizeof e;
    e.kind = kind;
    e.seq = seq;
    e.at_wall_ms = at_wall_ms;
    e.event_id = str(event_id);
    e.address = str(address);
    e.vendor_id = str(vendor_id);
    e.message_id = str(message_id);
    e.subkind = subkind;
    e.flags = flags;
    e.connection_id = str(connection_id);
    e.payload = str(payload);
    return e;
  }
};

}  // namespace sdk
}  // namespace godwit
