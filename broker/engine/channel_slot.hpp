// ChannelSlot: what the engine keeps of one channel instance.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "broker/channels/port.hpp"
#include "broker/dispatch/retry.hpp"
#include "broker/dispatch/send_queue.hpp"
#include "broker/engine/engine_stats.hpp"
#include "broker/engine/presence_book.hpp"
#include "broker/routing/router.hpp"

namespace godwit::engine {

enum class AdminState : uint8_t { enabled, draining, disabled };
std::string_view to_string(AdminState);
std::optional<AdminState> admin_state_from(std::string_view);

struct ChannelSlot {
  ChannelSlot(ChannelNo number, const ChannelStatus& status, EngineStats::Channel& stats, dispatch::RetryTokens tokens)
      : no(number), name(status.name), plugin(status.plugin), caps(status.caps), stats(stats), tokens(tokens) {}

  const ChannelNo no;
  const std::string name, plugin;
  const ChannelCaps caps;
  EngineStats::Channel& stats;
  routing::ChannelNo route = routing::kNoChannel;  // the router's number

  AdminState admin = AdminState::enabled;
  routing::Sleep sleep = routing::Sleep::down;  // awake, or why nothing goes out now; refresh_channel()
  bool look = true;                             // its status may have changed: refresh at the end of the turn
  MonoNs held_until_ns = 0;                     // by us: the channel answered `throttled`

  struct Quota {
    double whole = 0;  // sends in a period, as far as seen
    WallMs resets_at_ms = 0;
  };
  Quota quota;

  dispatch::SendQueue queue;
  dispatch::RetryTokens tokens;
  uint32_t in_flight = 0;  // attempts

  // A recall that waits for its turn.
  struct Recall {
    std::vector<uint64_t> attempts;  // names; several: one call that the vendor knows by one id
    MonoNs not_before_ns = 0, give_up_ns = 0;
    uint8_t tries = 0;
  };
  std::deque<Recall> recalls;
  uint32_t recalling = 0;  // with the channel

  PresenceBook presence;

  uint32_t bit() const { return 1u << no; }
  bool is_online(DeviceNo device) const { return presence.said(device) == PresenceBook::Said::online; }
  // Our own listener knows everybody who is there. A server in between tells of those whom it may tell of: who was
  // never spoken of may well be there, so a send finds out.
  bool is_absent(DeviceNo device) const {
    const auto said = presence.said(device);
    return said == PresenceBook::Said::nothing ? caps.owns_listener : said == PresenceBook::Said::offline;
  }
  // More than "accepted" comes back from here.
  bool reports() const { return (caps.receipt_kinds & ~1u) != 0; }
};

}  // namespace godwit::engine
