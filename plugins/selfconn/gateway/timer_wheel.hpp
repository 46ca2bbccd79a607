// TimerWheel: one alarm per record, threaded through the records themselves (12 bytes each), every operation O(1).
//
// Re-arming on every packet would touch the wheel a hundred thousand times a second, so alarms are lazy: leave an alarm
// where it is when it gets later, and when it fires ask the record when it is really due. Only an alarm that gets
// earlier must be moved. Times are ticks; an alarm beyond the horizon fires at the horizon and is set again.
//
// One thread. REQUIRES of T: `uint32_t alarm_tick, alarm_prev, alarm_next`, alarm_tick kNone when unset.
#pragma once

#include <array>
#include <cstdint>

#include "plugins/selfconn/gateway/slab.hpp"

namespace selfconn {

template <class T>
class TimerWheel {
 public:
  static constexpr uint32_t kSlots = 4096;

  explicit TimerWheel(Slab<T>& records) : records_(records) { heads_.fill(kNone); }

  uint32_t now() const { return now_; }
  // REQUIRES: no alarm is set.
  void start(uint32_t now) { now_ = now; }

  // Sets the alarm, moving one that is set. A tick that is over counts as the next one.
  void set(uint32_t index, uint32_t tick) {
    clear(index);
    uint32_t wait = tick - now_;
    if (static_cast<int32_t>(wait) < 1) wait = 1;
    if (wait >= kSlots) wait = kSlots - 1;
    T& record = records_[index];
    record.alarm_tick = now_ + wait;
    if (record.alarm_tick == kNone) record.alarm_tick = now_ + wait + 1;
    uint32_t& head = heads_[record.alarm_tick % kSlots];
    record.alarm_prev = kNone;
    record.alarm_next = head;
    if (head != kNone) records_[head].alarm_prev = index;
    head = index;
  }

  // Sets it only when there is none or it would fire later.
  void set_no_later(uint32_t index, uint32_t tick) {
    const uint32_t present = records_[index].alarm_tick;
    if (present == kNone || static_cast<int32_t>(present - tick) > 0) set(index, tick);
  }

  void clear(uint32_t index) {
    T& record = records_[index];
    if (record.alarm_tick == kNone) return;
    if (record.alarm_prev == kNone)
      heads_[record.alarm_tick % kSlots] = record.alarm_next;
    else
      records_[record.alarm_prev].alarm_next = record.alarm_next;
    if (record.alarm_next != kNone) records_[record.alarm_next].alarm_prev = record.alarm_prev;
    record.alarm_tick = kNone;
  }

  // Moves time on and calls fire(index) for each alarm on the way, already unset. `fire` may set and clear any alarm.
  template <class Fire>
  void advance(uint32_t to, Fire fire) {
    // After a jump of the clock every slot is looked at once; what is in it is due at the latest now.
    uint32_t steps = to - now_;
    if (static_cast<int32_t>(steps) <= 0) return;
    if (steps > kSlots) now_ = to - kSlots;
    while (now_ != to) {
      ++now_;
      uint32_t& head = heads_[now_ % kSlots];
      while (head != kNone && static_cast<int32_t>(records_[head].alarm_tick - now_) <= 0) {
        const uint32_t index = head;
        clear(index);
        fire(index);
      }
    }
  }

 private:
  Slab<T>& records_;
  uint32_t now_ = 0;
  std::array<uint32_t, kSlots> heads_;
};

}  // namespace selfconn
