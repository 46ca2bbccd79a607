#include "clients/device/heartbeat.hpp"

#include <algorithm>

namespace godwit::device {

void Heartbeat::set_network(const std::string& name) {
  const auto known = std::find_if(networks_.begin(), networks_.end(), [&](const Network& n) { return n.name == name; });
  if (known != networks_.end())
    networks_.splice(networks_.begin(), networks_, known);
  else
    networks_.push_front({.name = name});
  if (networks_.size() > kMaxNetworks) networks_.pop_back();
  good_on_connection_ = 0;
}

uint32_t Heartbeat::seconds() const {
  return is_probing() ? networks_.front().seconds : kMin;
}

void Heartbeat::good(int64_t now_ms) {
  const bool counts = is_probing();
  ++good_on_connection_;
  if (!counts) return;
  Network& n = networks_.front();
  n.bad = 0;
  if (n.is_stable) {
    if (n.seconds >= kLongest || now_ms - n.stable_since_ms < kTryMoreAfterMs) return;
    n.seconds = std::min(n.seconds + kSafety, kLongest);
    n.stable_since_ms = now_ms;
    return;
  }
  if (++n.good < kClimbAfter) return;
  n.good = 0;
  n.seconds = std::min(n.seconds + kStep, kLongest);
  n.is_stable = n.seconds == kLongest;
  n.stable_since_ms = now_ms;
}

void Heartbeat::bad(int64_t now_ms) {
  if (!is_probing()) return;
  Network& n = networks_.front();
  n.good = 0;
  if (++n.bad < kFallAfter) return;
  n.bad = 0;
  n.seconds = n.is_stable ? kMin : std::max(kMin, n.seconds - std::min(n.seconds, kStep + kSafety));
  n.is_stable = !n.is_stable;
  n.stable_since_ms = now_ms;
}

}  // namespace godwit::device
