#include "broker/channels/convert.hpp"

#include <algorithm>
#include <godwit/table.hpp>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

constexpr size_t kMaxIdBytes = 512, kMaxAddressBytes = 4096, kMaxPayloadBytes = 256 << 10;

std::optional<ChannelEvent::Kind> to_kind(uint32_t kind) {
  using Kind = ChannelEvent::Kind;
  switch (kind) {
    case GW_EVENT_RECEIPT:
      return Kind::receipt;
    case GW_EVENT_TOKEN_INVALID:
      return Kind::token_invalid;
    case GW_EVENT_TOKEN_CHANGED:
      return Kind::token_changed;
    case GW_EVENT_PRESENCE:
      return Kind::presence;
    case GW_EVENT_PRESENCE_RESET:
      return Kind::presence_reset;
    case GW_EVENT_INBOUND:
      return Kind::inbound;
    case GW_EVENT_QUOTA:
      return Kind::quota;
    case GW_EVENT_NOTICE:
      return Kind::notice;
    default:
      return std::nullopt;
  }
}

// An event about a device or message that names neither cannot be used by anybody.
bool names_something(const ChannelEvent& e) {
  using Kind = ChannelEvent::Kind;
  switch (e.kind) {
    case Kind::receipt:
      return !e.vendor_id.empty() || !e.message_id.empty();
    case Kind::token_invalid:
    case Kind::presence:
    case Kind::inbound:
      return !e.address.empty();
    case Kind::token_changed:
      return !e.address.empty() && !e.payload.empty();
    default:
      return true;
  }
}

}  // namespace

ChannelCaps to_caps(const gw_caps& in) {
  const auto has = [&](uint64_t flag) { return (in.flags & flag) != 0; };
  ChannelCaps out;
  out.ttl = has(GW_CAP_TTL);
  out.collapse = has(GW_CAP_COLLAPSE);
  out.priority = has(GW_CAP_PRIORITY);
  out.offline_hold = has(GW_CAP_OFFLINE_HOLD);
  out.multicast = has(GW_CAP_MULTICAST);
  out.recall = has(GW_CAP_RECALL);
  out.presence = has(GW_CAP_PRESENCE);
  out.token_feedback = has(GW_CAP_TOKEN_FEEDBACK);
  out.webhook = has(GW_CAP_WEBHOOK);
  out.idempotent = has(GW_CAP_IDEMPOTENT);
  out.silent = has(GW_CAP_SILENT);
  out.metered = has(GW_CAP_METERED);
  out.owns_listener = has(GW_CAP_OWNS_LISTENER);
  out.receipt_kinds = in.receipt_kinds;
  out.max_payload_bytes = in.max_payload_bytes;
  out.max_batch = in.max_batch ? std::min(in.max_batch, kDefaultMaxBatch) : kDefaultMaxBatch;
  out.max_targets = out.multicast ? in.max_targets : 1;
  out.max_window = in.max_window ? std::min(in.max_window, kDefaultMaxWindow) : kDefaultMaxWindow;
  out.max_collapse_key = in.max_collapse_key;
  out.max_ttl_ms = in.max_ttl_ms;
  out.offline_hold_ms = in.offline_hold_ms;
  out.cost_micro = in.cost_micro;
  out.vendor_receipts_are_device = has(GW_CAP_OWNS_LISTENER);  // the device's own connection: nobody in between
  return out;
}

std::optional<ChannelState> to_state(uint32_t state) {
  switch (state) {
    case GW_STATE_STARTING:
      return ChannelState::starting;
    case GW_STATE_READY:
      return ChannelState::ready;
    case GW_STATE_DEGRADED:
      return ChannelState::degraded;
    case GW_STATE_DOWN:
      return ChannelState::down;
    case GW_STATE_FAILED:
      return ChannelState::failed;
    default:
      return std::nullopt;
  }
}

std::optional<ChannelEvent> to_event(const gw_event& raw, ChannelNo channel, WallMs now) {
  const gw_event in = import_table(&raw);
  const std::optional<ChannelEvent::Kind> kind = to_kind(in.kind);
  if (!kind) return std::nullopt;
  ChannelEvent e;
  e.channel = channel;
  e.kind = *kind;
  e.seq = in.seq;
  e.at_ms = in.at_wall_ms ? static_cast<WallMs>(in.at_wall_ms) : now;
  e.event_id = clean_text(in.event_id, kMaxIdBytes);
  e.address = clean_text(in.address, kMaxAddressBytes);
  e.vendor_id = clean_text(in.vendor_id, 256);  // as cut in settlements
  e.message_id = clean_text(in.message_id, kMaxIdBytes);
  e.connection_id = clean_text(in.connection_id, kMaxIdBytes);
  e.payload = from_gw(in.payload).substr(0, kMaxPayloadBytes);
  e.subkind = in.subkind;
  e.by_device = (in.flags & GW_EVENT_BY_DEVICE) != 0;
  if (!names_something(e)) return std::nullopt;
  return e;
}

}  // namespace godwit::channels
