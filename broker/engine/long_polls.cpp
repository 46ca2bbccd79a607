#include "broker/engine/long_polls.hpp"

#include <utility>

#include "broker/engine/timer_kind.hpp"

namespace godwit::engine {

void LongPolls::add(LongPoll poll, MonoNs until) {
  const uint32_t ix = waiting_.add();
  by_device_[poll.device].push_back(ix);
  waiting_[ix] = {std::move(poll), timers_.arm(until, timer_payload(TimerKind::inbox, ix))};
}

std::vector<LongPoll> LongPolls::take(DeviceNo device) {
  std::vector<LongPoll> out;
  const auto it = by_device_.find(device);
  if (it == by_device_.end()) return out;
  for (const uint32_t ix : it->second) {
    timers_.cancel(waiting_[ix].timer);
    out.push_back(std::move(waiting_[ix].poll));
    waiting_.remove(ix);
  }
  by_device_.erase(it);
  return out;
}

std::vector<LongPoll> LongPolls::take_all() {
  std::vector<LongPoll> out;
  while (!by_device_.empty())
    for (LongPoll& poll : take(by_device_.begin()->first)) out.push_back(std::move(poll));
  return out;
}

LongPoll LongPolls::take_expired(uint32_t ix) {
  LongPoll poll = std::move(waiting_[ix].poll);
  waiting_.remove(ix);
  const auto it = by_device_.find(poll.device);
  std::erase(it->second, ix);
  if (it->second.empty()) by_device_.erase(it);
  return poll;
}

}  // namespace godwit::engine
