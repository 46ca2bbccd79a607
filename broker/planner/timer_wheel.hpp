// TimerWheel: millions of deadlines, each armed and cancelled in constant time, because almost all are cancelled before
// they fire (the receipt came).
//
// Four levels of 256 slots; a tick is 16 ms, so it reaches two years ahead (later deadlines are looked at again then).
// A timer never fires early, and at most a tick and the caller's own delay late. One owner; fire() may arm and cancel.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "broker/base/clock.hpp"

namespace godwit::planner {

class TimerWheel {
 public:
  using Id = uint32_t;
  static constexpr Id kNone = ~0u;
  static constexpr MonoNs kTickNs = 16 * kNsPerMs;

  explicit TimerWheel(MonoNs now);

  // `payload` is handed to fire() when `due` has come.
  Id arm(MonoNs due, uint64_t payload);
  // `id` may be kNone. REQUIRES: not fired yet. Sets it to kNone.
  void cancel(Id& id);

  // Calls fire(payload) for everything due; the id is dead when it is called.
  template <class F>
  void advance(MonoNs now, F fire) {
    const uint64_t target = static_cast<uint64_t>(now / kTickNs);
    while (now_tick_ < target) {
      step_towards(target);
      while (heads_[kFiring] != kNone) {
        const Id id = heads_[kFiring];
        const uint64_t payload = nodes_[id].payload;
        unlink(id);
        release(id);
        fire(payload);
      }
    }
  }

  // Nothing fires before this time. Far ahead when nothing is armed.
  MonoNs quiet_until() const;
  size_t size() const { return armed_; }

 private:
  static constexpr unsigned kLevels = 4, kSlots = 256;
  static constexpr uint32_t kFiring = kLevels * kSlots;  // one more list: what is due in this tick

  struct Node {
    uint64_t tick, payload;
    Id prev, next;
    uint32_t list;
  };

  void place(Id id);
  void link(Id id, uint32_t list);
  void unlink(Id id);
  void release(Id id);
  void step_towards(uint64_t target);
  void cascade(unsigned level);

  std::vector<Node> nodes_;
  Id free_ = kNone;
  size_t armed_ = 0;
  uint64_t now_tick_;
  std::array<Id, kFiring + 1> heads_;
  std::array<uint64_t, kSlots / 64> used_{};  // of level 0: slots that hold something
};

}  // namespace godwit::planner
