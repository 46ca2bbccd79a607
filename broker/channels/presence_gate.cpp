#include "broker/channels/presence_gate.hpp"

#include <algorithm>

namespace godwit::channels {

bool PresenceGate::pass(std::vector<ChannelEvent> events, const Deliver& deliver) {
  if (std::none_of(events.begin(), events.end(), is_presence)) return deliver(std::move(events));
  std::lock_guard lock(mutex_);
  if (stand_ == Stand::serving) return deliver(std::move(events));
  std::vector<ChannelEvent> others;
  for (ChannelEvent& event : events) {
    if (!is_presence(event))
      others.push_back(std::move(event));
    else if (stand_ == Stand::waiting && !keep(std::move(event)))
      return false;
  }
  return others.empty() || deliver(std::move(others));
}

bool PresenceGate::keep(ChannelEvent event) {
  if (event.kind == ChannelEvent::Kind::presence_reset) kept_.clear();
  if (kept_.size() >= kMostKept) {
    has_refused_ = true;
    return false;
  }
  kept_.push_back(std::move(event));
  return true;
}

bool PresenceGate::open(const Deliver& deliver) {
  std::lock_guard lock(mutex_);
  if (stand_ != Stand::waiting) return true;
  if (!kept_.empty() && !deliver(kept_)) return false;
  kept_ = {};
  stand_ = Stand::serving;
  return true;
}

void PresenceGate::replace() {
  std::lock_guard lock(mutex_);
  stand_ = Stand::replaced;
  kept_ = {};
}

}  // namespace godwit::channels
