// TimerWheel: millions of deadlines, each armed and cancelled in constant time, because almost all are cancelled before
// they fire (the receipt came).
//
// Four levels of 256 slots; a tick is 16 ms. A timer takes 16 bytes, which is why it knows its tick by the lowest 32
// bits only: the wheel reaches a year ahead. A timer never fires early, but for a deadline beyond that year, which is
// to be armed again when it fires; and at most a tick and the caller's own delay late. One owner; fire() may arm and
// cancel.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <deque>

#include "broker/base/clock.hpp"

namespace godwit::planner {

class TimerWheel {
 public:
  using Id = uint32_t;
  static constexpr Id kNone = ~0u;
  static constexpr MonoNs kTickNs = 16 * kNsPerMs;

  explicit TimerWheel(MonoNs now);

  // `payload` is handed to fire() when `due` has come.
  Id arm(MonoNs due, uint32_t payload);
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
        const uint32_t payload = nodes_[id].payload;
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
  static constexpr uint32_t kFiring = kLevels * kSlots;    // one more list: what is due in this tick
  static constexpr uint64_t kFarthest = (1ull << 31) - 1;  // ticks ahead: of two 32-bit ticks the later one is known
  static constexpr uint32_t kHead = 1u << 31;

  struct Node {
    uint32_t tick;  // lowest bits
    uint32_t payload;
    uint32_t prev;  // the one before it, or kHead and the list that it is the first of
    Id next;
  };

  void place(Id id);
  void link(Id id, uint32_t list);
  void unlink(Id id);
  void release(Id id);
  void step_towards(uint64_t target);
  void cascade(unsigned level);

  std::deque<Node> nodes_;  // grows without moving a million of them
  Id free_ = kNone;
  size_t armed_ = 0;
  uint64_t now_tick_;
  std::array<Id, kFiring + 1> heads_;
  std::array<uint64_t, kSlots / 64> used_{};  // of level 0: slots that hold something
};

}  // namespace godwit::planner
