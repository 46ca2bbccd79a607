// PluginTimers: the timers that a plugin arms, fired on its lane. A timer that is cancelled on the lane never fires.
#pragma once

#include <functional>

#include "broker/channels/lane.hpp"
#include "broker/channels/services/open_calls.hpp"
#include "broker/channels/timers.hpp"

namespace godwit::channels {

class PluginTimers {
 public:
  using Fire = std::function<void(uint64_t id, uint64_t cookie)>;  // on the lane
  PluginTimers(Timers& timers, const Clock& clock, Lane& lane, Fire fire)
      : timers_(timers), clock_(clock), lane_(lane), fire_(std::move(fire)) {}

  uint64_t arm(uint64_t delay_ns, uint64_t cookie) {  // 0: closed, or too many
    uint64_t id = 0;
    if (armed_.add({cookie, 0}, id) != GW_OK) return 0;
    const MonoNs delay = static_cast<MonoNs>(std::min<uint64_t>(delay_ns, kMaxDelayNs));
    const uint64_t timer = timers_.arm(clock_.mono_ns() + delay, [this, id] {
      lane_.post("on_timer", [this, id] {
        if (const auto armed = armed_.take(id)) fire_(id, armed->cookie);
      });
    });
    if (!armed_.with(id, [&](Armed& armed) { armed.timer = timer; })) timers_.cancel(timer);
    return id;
  }

  int32_t cancel(uint64_t id) {
    const auto armed = armed_.take(id);
    if (!armed) return GW_E_NOT_FOUND;
    timers_.cancel(armed->timer);
    return GW_OK;
  }

  void close() {
    for (const Armed& armed : armed_.close()) timers_.cancel(armed.timer);
  }

 private:
  static constexpr uint64_t kMaxDelayNs = UINT64_C(400) * 24 * 3600 * kNsPerSecond;  // keeps the sum in range
  struct Armed {
    uint64_t cookie;
    uint64_t timer;  // the shared thread's number; 0 for a moment
  };
  Timers& timers_;
  const Clock& clock_;
  Lane& lane_;
  const Fire fire_;
  OpenCalls<Armed> armed_{65'536};
};

}  // namespace godwit::channels
