// Draining: no new sockets, what is in flight is finished, everybody is sent away at a limited rate so that they do not
// all come back at once. At the deadline the rest goes too. Who was accepted before has a moment to say CONNECT and is
// sent away like the others: while the channel is reloaded, nobody shall find a closed door.
#include <algorithm>

#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

constexpr uint32_t kReserveTicks = 4;  // everybody is gone a second before the deadline
constexpr uint32_t kGreetTicks = 4;    // for a CONNECT that is on its way

uint32_t ticks_left(const Shard& shard) {
  const uint64_t deadline = shard.drain_order.deadline_mono_ns;
  return deadline > shard.now_ns
             ? static_cast<uint32_t>(std::min<uint64_t>((deadline - shard.now_ns) / kTickNs, 1u << 20))
             : 0;
}

void send_away(Shard& shard, Connection& c) {
  const Settings& settings = shard.fleet.settings;
  const mqtt::Reason reason = settings.server_moved               ? mqtt::Reason::server_moved
                              : settings.server_reference.empty() ? mqtt::Reason::server_shutting_down
                                                                  : mqtt::Reason::use_another_server;
  refuse(shard, c, reason, "the gateway is draining");
}

}  // namespace

void start_drain(Shard& shard, const DrainOrder& order) {
  shard.is_draining = true;
  shard.drain_tick = shard.tick;
  shard.drain_order = order;
  // Who is at the door already comes in: a fresh instance may not use this very socket (it has fewer reactors).
  for (const Listener& listener : shard.listeners) accept_connections(shard, listener);
  watch_listeners(shard, false);
  drain_some(shard);
}

void drain_some(Shard& shard) {
  const uint32_t left = ticks_left(shard);
  const Settings& settings = shard.fleet.settings;
  const auto shards = static_cast<uint32_t>(shard.fleet.mailboxes.size());
  const uint32_t in_time = shard.connections.used() / std::max(1u, left - std::min(left, kReserveTicks)) + 1;
  uint32_t quota = std::max(settings.drain_rate / kTicksPerSecond / shards + 1, in_time);
  const bool is_last_call = left <= kReserveTicks;
  const uint32_t size = shard.connections.size();
  for (uint32_t looked = 0; looked < size && quota > 0; ++looked) {
    Connection& c = shard.connections[shard.drain_cursor++ % size];
    const bool is_busy = c.in_flight + c.waiting + c.up_pending > 0;
    if (c.phase == Phase::greeting) {
      if (is_last_call || shard.tick - shard.drain_tick >= kGreetTicks) drop(shard, c, "the gateway is draining");
    } else if (c.phase == Phase::live && (!is_busy || is_last_call)) {
      send_away(shard, c);
      --quota;
    }
  }
}

void say_if_drained(Shard& shard) {
  if (shard.is_drained || shard.connections.used() > 0 || !shard.reports.is_empty()) return;
  shard.is_drained = true;
  if (shard.fleet.shards_to_drain.fetch_sub(1) == 1) shard.fleet.host.drained();
}

}  // namespace selfconn
