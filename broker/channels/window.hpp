// Window limits how many messages of one channel instance are with the plugin at once.
//
// The plugin sets the size (vendors change their mind); the dispatcher takes a slot per message and gives it back when
// the message is settled. Shrinking recalls nothing, it only stops new ones until enough came back. A hold stops them
// until a moment, whatever the size. Safe from any thread; taking never waits.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "broker/base/clock.hpp"

namespace godwit::channels {

class Window {
 public:
  explicit Window(uint32_t hard_limit) : hard_limit_(hard_limit) {}

  // Zero pauses. More than the hard limit is cut; answers whether it was. The size is 0 until the plugin spoke.
  bool resize(uint32_t size) {
    size_.store(std::min(size, hard_limit_));
    return size > hard_limit_;
  }
  void hold(MonoNs until) { hold_until_.store(until); }

  uint32_t room(MonoNs now) const {
    if (now < hold_until_.load(std::memory_order_relaxed)) return 0;
    const uint32_t size = size_.load(std::memory_order_relaxed), out = out_.load(std::memory_order_relaxed);
    return size > out ? size - out : 0;
  }

  // All n or none.
  [[nodiscard]] bool take(uint32_t n, MonoNs now) {
    if (now < hold_until_.load()) return false;
    uint32_t out = out_.load();
    do {
      if (out + n > size_.load()) return false;
    } while (!out_.compare_exchange_weak(out, out + n));
    return true;
  }
  void give_back(uint32_t n) { out_.fetch_sub(n); }

  uint32_t size() const { return size_.load(); }
  uint32_t out() const { return out_.load(); }
  uint32_t hard_limit() const { return hard_limit_; }
  MonoNs hold_until() const { return hold_until_.load(); }

 private:
  const uint32_t hard_limit_;
  std::atomic<uint32_t> size_{0}, out_{0};
  std::atomic<MonoNs> hold_until_{0};
};

}  // namespace godwit::channels
