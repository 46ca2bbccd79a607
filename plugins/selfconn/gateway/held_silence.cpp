#include "plugins/selfconn/gateway/held_silence.hpp"

#include <algorithm>
#include <cstring>

#include "plugins/selfconn/gateway/settings.hpp"

namespace selfconn {
namespace {

// Tencent Mars, stn/src/smart_heartbeat.cc: step, safety margin, counts.
constexpr uint32_t kStepS = 60, kSafetyS = 20;
constexpr uint8_t kHeldToClimb = 5, kBrokeToFall = 2;
constexpr uint32_t kTryAgainTicks = 7 * 24 * 3600 * kTicksPerSecond;

uint32_t mixed(uint64_t value) {
  const auto name = static_cast<uint32_t>(value * 0x9E3779B97F4A7C15u >> 32);
  return name ? name : 1;
}

}  // namespace

HeldSilence::HeldSilence(uint32_t first_s, uint32_t longest_s)
    : first_s_(std::min(first_s, longest_s)), longest_s_(longest_s) {
  if (first_s_ > 0) networks_.resize(kSets * kWays);
}

uint32_t HeldSilence::network_of(const sockaddr_storage& address) {
  uint32_t v4 = 0;
  if (address.ss_family == AF_INET) {
    v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr;
  } else if (address.ss_family == AF_INET6) {
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(&v6)) {
      uint64_t prefix = 0;
      std::memcpy(&prefix, v6.s6_addr, 6);
      return mixed(prefix + (uint64_t{1} << 63));
    }
    std::memcpy(&v4, v6.s6_addr + 12, 4);
  }
  return mixed(ntohl(v4) >> 8);
}

HeldSilence::Network& HeldSilence::find(uint32_t name, uint32_t now) {
  Network* const first = &networks_[name % kSets * kWays];
  Network* found = std::find_if(first, first + kWays, [name](const Network& n) { return n.name == name; });
  if (found == first + kWays) {
    found = std::max_element(first, first + kWays, [now](const Network& a, const Network& b) {
      const auto age = [now](const Network& n) { return n.name == 0 ? uint64_t{1} << 32 : now - n.asked_tick; };
      return age(a) < age(b);
    });
    *found = {};
    found->name = name;
    begin(*found);
  }
  found->asked_tick = now;
  return *found;
}

void HeldSilence::begin(Network& network) const {
  network.interval_s = static_cast<uint16_t>(first_s_);
  network.held = network.broke = 0;
  network.is_settled = false;
}

void HeldSilence::settle(Network& network, uint32_t interval_s, uint32_t now) const {
  network.interval_s = static_cast<uint16_t>(std::clamp(interval_s, first_s_, longest_s_));
  network.held = network.broke = 0;
  network.is_settled = true;
  network.settled_tick = now;
}

uint32_t HeldSilence::granted_s(uint32_t name, uint32_t now) {
  if (first_s_ == 0 || name == 0) return longest_s_;
  Network& network = find(name, now);
  if (network.is_settled && now - network.settled_tick >= kTryAgainTicks)
    settle(network, network.interval_s + kSafetyS, now);
  return network.interval_s;
}

void HeldSilence::held(uint32_t name, uint32_t silence_s, uint32_t now) {
  if (first_s_ == 0 || name == 0) return;
  Network& network = find(name, now);
  // Devices send their heartbeat a little early.
  if (silence_s * 10 < uint32_t{network.interval_s} * 9) return;
  network.broke = 0;
  if (network.is_settled) return;
  const auto silence = static_cast<uint16_t>(std::min(silence_s, longest_s_));
  network.shortest_s = network.held == 0 ? silence : std::min(network.shortest_s, silence);
  if (++network.held < kHeldToClimb) return;
  network.held = 0;
  const uint32_t next = std::max<uint32_t>(network.interval_s + kStepS, network.shortest_s);
  if (next >= longest_s_) return settle(network, longest_s_, now);
  network.interval_s = static_cast<uint16_t>(next);
}

void HeldSilence::broke(uint32_t name, uint32_t silence_s, uint32_t now) {
  if (first_s_ == 0 || name == 0) return;
  Network& network = find(name, now);
  if (silence_s < network.interval_s) return;  // not for its length: the radio, the app
  network.held = 0;
  if (++network.broke < kBrokeToFall) return;
  if (network.is_settled) return begin(network);
  const uint32_t less = kStepS + kSafetyS;
  settle(network, network.interval_s > less ? network.interval_s - less : 0, now);
}

void HeldSilence::gave_up(uint32_t device, uint32_t network, uint32_t silence_s, uint32_t now) {
  if (first_s_ == 0 || network == 0) return;
  Lost& lost = lost_[next_lost_++ % kLost];
  if (lost.network == 0) ++lost_count_;
  lost = {device, network, silence_s, now};
}

void HeldSilence::came(uint32_t device, uint32_t network, uint32_t now) {
  if (lost_count_ == 0) return;
  for (Lost& lost : lost_) {
    if (lost.network == 0 || lost.device != device) continue;
    const Lost was = lost;
    lost = {};
    --lost_count_;
    // Clients wait for the answer to a heartbeat as long as for the heartbeat itself.
    const bool is_soon = now - was.tick <= was.silence_s * kTicksPerSecond;
    if (is_soon && was.network == network) broke(network, was.silence_s, now);
  }
}

}  // namespace selfconn
