#include "broker/planner/timer_wheel.hpp"

#include <algorithm>
#include <cassert>

namespace godwit::planner {

TimerWheel::TimerWheel(MonoNs now) : now_tick_(static_cast<uint64_t>(now / kTickNs)) {
  heads_.fill(kNone);
}

TimerWheel::Id TimerWheel::arm(MonoNs due, uint32_t payload) {
  Id id = free_;
  if (id == kNone) {
    id = static_cast<Id>(nodes_.size());
    assert(id < kHead);
    nodes_.emplace_back();
  } else {
    free_ = nodes_[id].next;
  }
  const uint64_t tick = due <= 0 ? 0 : static_cast<uint64_t>((due + kTickNs - 1) / kTickNs);  // up: never early
  nodes_[id].tick = static_cast<uint32_t>(std::clamp(tick, now_tick_ + 1, now_tick_ + kFarthest));
  nodes_[id].payload = payload;
  place(id);
  ++armed_;
  return id;
}

void TimerWheel::cancel(Id& id) {
  if (id == kNone) return;
  unlink(id);
  release(id);
  id = kNone;
}

// The level is decided by the highest digit (of base 256) in which the deadline differs from now.
void TimerWheel::place(Id id) {
  const uint32_t tick = nodes_[id].tick, now = static_cast<uint32_t>(now_tick_);
  if (tick - now - 1 >= kFarthest) return link(id, kFiring);  // now, or behind us
  const auto level = static_cast<unsigned>((std::bit_width(tick ^ now) - 1) / 8);
  link(id, level * kSlots + static_cast<uint32_t>((tick >> (8 * level)) & (kSlots - 1)));
}

void TimerWheel::link(Id id, uint32_t list) {
  Node& n = nodes_[id];
  n.prev = kHead | list;
  n.next = heads_[list];
  if (n.next != kNone) nodes_[n.next].prev = id;
  heads_[list] = id;
  if (list < kSlots) used_[list / 64] |= 1ull << (list % 64);
}

void TimerWheel::unlink(Id id) {
  const Node& n = nodes_[id];
  assert(n.prev != kNone);  // dead already
  if (n.next != kNone) nodes_[n.next].prev = n.prev;
  if (n.prev & kHead) {
    const uint32_t list = n.prev & ~kHead;
    heads_[list] = n.next;
    if (list < kSlots && n.next == kNone) used_[list / 64] &= ~(1ull << (list % 64));
  } else {
    nodes_[n.prev].next = n.next;
  }
  --armed_;
}

void TimerWheel::release(Id id) {
  nodes_[id].prev = kNone;
  nodes_[id].next = free_;
  free_ = id;
}

// Moves to the next tick with something in it, or as far as the end of the lowest level's round, and fills kFiring.
void TimerWheel::step_towards(uint64_t target) {
  uint32_t slot = static_cast<uint32_t>(now_tick_ & (kSlots - 1)) + 1;
  while (slot < kSlots) {
    const uint64_t word = used_[slot / 64] >> (slot % 64);
    if (word != 0) {
      slot += static_cast<uint32_t>(std::countr_zero(word));
      break;
    }
    slot = (slot / 64 + 1) * 64;
  }
  const uint64_t next = (now_tick_ & ~uint64_t{kSlots - 1}) + slot;  // slot == kSlots: the next round
  if (next > target) {
    now_tick_ = target;
    return;
  }
  now_tick_ = next;
  if (slot == kSlots) {
    for (unsigned level = 1; level < kLevels; ++level) {
      cascade(level);
      if ((now_tick_ >> (8 * level)) & (kSlots - 1)) break;
    }
  }
  const uint32_t now_slot = static_cast<uint32_t>(now_tick_ & (kSlots - 1));
  while (heads_[now_slot] != kNone) {
    const Id id = heads_[now_slot];
    unlink(id);
    link(id, kFiring);
    ++armed_;
  }
}

// The slot of `level` whose time begins now: its timers move down.
void TimerWheel::cascade(unsigned level) {
  const uint32_t list = level * kSlots + static_cast<uint32_t>((now_tick_ >> (8 * level)) & (kSlots - 1));
  Id id = heads_[list];
  heads_[list] = kNone;
  while (id != kNone) {
    const Id next = nodes_[id].next;
    place(id);
    id = next;
  }
}

MonoNs TimerWheel::quiet_until() const {
  if (armed_ == 0) return INT64_MAX;
  uint32_t slot = static_cast<uint32_t>(now_tick_ & (kSlots - 1)) + 1;
  while (slot < kSlots) {
    const uint64_t word = used_[slot / 64] >> (slot % 64);
    if (word != 0) {
      slot += static_cast<uint32_t>(std::countr_zero(word));
      break;
    }
    slot = (slot / 64 + 1) * 64;
  }
  return static_cast<MonoNs>((now_tick_ & ~uint64_t{kSlots - 1}) + std::min(slot, kSlots)) * kTickNs;
}

}  // namespace godwit::planner
