// Keep alive, time limits of packets, of acknowledgements, of stuck sockets and of credentials: one alarm for all of
// them, set to the earliest. What is really due is asked when it fires.
#include <algorithm>

#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

using mqtt::Reason;

// Ticks around `base`, so that "earlier" is well defined when they wrap.
class Earliest {
 public:
  explicit Earliest(uint32_t now) : now_(now) {}
  void at(uint32_t tick) { left_ = std::min(left_, static_cast<int32_t>(tick - now_)); }
  uint32_t tick() const { return now_ + static_cast<uint32_t>(left_); }

 private:
  uint32_t now_;
  int32_t left_ = INT32_MAX;
};

constexpr uint32_t ticks(uint32_t seconds) {
  return seconds * kTicksPerSecond;
}
bool is_over(const Shard& shard, uint32_t tick) {
  return static_cast<int32_t>(tick - shard.tick) <= 0;
}

uint32_t keep_alive_end(const Connection& c) {
  return c.heard_tick + c.keep_alive_s * kTicksPerSecond * 3 / 2;
}
uint32_t packet_end(const Connection& c) {
  return c.partial.mark() + ticks(kPacketTimeoutS);
}
uint32_t stuck_end(const Connection& c) {
  return c.unsent.mark() + ticks(kStuckTimeoutS);
}

uint32_t credential_end(Shard& shard, const Connection& c) {
  const auto now_s = static_cast<uint32_t>(shard.now_wall_ms() / 1000);
  const uint32_t left_s = c.expires_wall_s > now_s ? c.expires_wall_s - now_s : 0;
  return shard.tick + ticks(std::min(left_s, 24u * 3600));
}

uint32_t due_tick(Shard& shard, const Connection& c) {
  Earliest earliest(shard.tick);
  switch (c.phase) {
    case Phase::greeting:
      earliest.at(c.since_tick + ticks(kConnectTimeoutS));
      break;
    case Phase::lingering:
      earliest.at(c.since_tick + ticks(kLingerS));
      break;
    default:
      earliest.at(keep_alive_end(c));
      if (!c.partial.empty() && !c.is_paused) earliest.at(packet_end(c));
      if (!c.unsent.empty()) earliest.at(stuck_end(c));
      if (c.expires_wall_s > 0) earliest.at(credential_end(shard, c));
      if (const uint32_t flight = next_flight_tick(shard, c); flight != kNone) earliest.at(flight);
  }
  return earliest.tick();
}

void check_live(Shard& shard, Connection& c) {
  const auto end = [&](Reason reason, const char* text) {
    shard.counters.timed_out.add();
    refuse(shard, c, reason, text);
  };
  if (is_over(shard, keep_alive_end(c))) {
    shard.silence.gave_up(c.tag, c.network, (shard.tick - c.heard_tick) / kTicksPerSecond, shard.tick);
    return end(Reason::keep_alive_timeout, "keep alive passed");
  }
  if (!c.partial.empty() && !c.is_paused && is_over(shard, packet_end(c)))
    return end(Reason::unspecified_error, "a packet did not come to its end in time");
  if (!c.unsent.empty() && is_over(shard, stuck_end(c)))
    return end(Reason::quota_exceeded, "the device does not read what it is sent");
  if (c.expires_wall_s > 0 && c.expires_wall_s <= shard.now_wall_ms() / 1000)
    return end(Reason::maximum_connect_time, "the device credential has expired");
  if (is_silent_about_messages(shard, c)) return end(Reason::unspecified_error, "no PUBACK in 30 s");
  settle_overdue(shard, c);
}

}  // namespace

void arm(Shard& shard, Connection& c) {
  shard.wheel.set_no_later(c.self, due_tick(shard, c));
}

void on_alarm(Shard& shard, Connection& c) {
  switch (c.phase) {
    case Phase::greeting:
      if (!is_over(shard, c.since_tick + ticks(kConnectTimeoutS))) break;
      shard.counters.timed_out.add();
      return drop(shard, c, "no CONNECT in 10 s");
    case Phase::lingering:
      if (!is_over(shard, c.since_tick + ticks(kLingerS))) break;
      return drop(shard, c, "the peer did not close");
    case Phase::live:
      check_live(shard, c);
      break;
    default:
      return;
  }
  if (c.phase != Phase::departed && c.phase != Phase::doomed) arm(shard, c);
}

}  // namespace selfconn
