// HashIndex finds 32-bit values by a key that is stored elsewhere: the caller brings the key's hash and a question
// "is it this one?". So an id or a token lies in memory once, in the device's record, and a slot costs eight bytes.
//
// The table is cut into segments that grow and shrink each on its own, from the half of the hash that the slot keeps:
// no call ever moves more than one segment (some thousands of slots), and growing touches no record. Equal keys are the
// caller's business; the index holds what it is given.
//
// REQUIRES: hashes are seeded and well mixed (StringHash). Only the upper 32 bits are used: the first of them choose
// the segment, the rest the place in it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace godwit {

template <unsigned kSegmentBits>
class HashIndex {
 public:
  static constexpr uint32_t kNone = ~0u;

  HashIndex() : segments_(size_t{1} << kSegmentBits) {}

  // The value that `is_it` answers true for, or kNone.
  template <class IsIt>
  uint32_t find(uint64_t hash, IsIt&& is_it) const {
    const uint32_t* value = locate(hash, is_it);
    return value ? *value : kNone;
  }

  // The place of that value, to read or to change; null when there is none. Stays until the next insert or erase.
  template <class IsIt>
  const uint32_t* locate(uint64_t hash, IsIt&& is_it) const {
    const uint32_t half = half_of(hash);
    const Segment& segment = segments_[index_of(half)];
    if (segment.used == 0) return nullptr;
    for (uint32_t at = segment.home(half);; at = segment.after(at)) {
      const Slot& slot = segment.slots[at];
      if (slot.value == kNone) return nullptr;
      if (slot.half == half && is_it(slot.value)) return &slot.value;
    }
  }

  void insert(uint64_t hash, uint32_t value) {
    const uint32_t half = half_of(hash);
    Segment& segment = segments_[index_of(half)];
    if (segment.used + 1 > segment.capacity / 5 * 4) resize(segment, segment.capacity + segment.capacity / 4 + 10);
    place(segment, {half, value});
    ++segment.used;
    ++size_;
  }

  // Changes `from`, which was inserted with this hash, to `to`.
  void replace(uint64_t hash, uint32_t from, uint32_t to) {
    const auto* value = locate(hash, [from](uint32_t v) { return v == from; });
    if (value) *const_cast<uint32_t*>(value) = to;
  }

  // Takes out `value`, which was inserted with this hash.
  void erase(uint64_t hash, uint32_t value) {
    const uint32_t half = half_of(hash);
    Segment& segment = segments_[index_of(half)];
    if (segment.used == 0) return;
    uint32_t hole = segment.home(half);
    while (segment.slots[hole].half != half || segment.slots[hole].value != value) {
      if (segment.slots[hole].value == kNone) return;
      hole = segment.after(hole);
    }
    close(segment, hole);
    --segment.used;
    --size_;
    if (segment.used < segment.capacity / 5 * 2) resize(segment, segment.used + segment.used / 2 + 5);
  }

  // Filling the index at once, some times faster than insert, which waits for memory at each value: values are set
  // aside in the order in which they come, and settle() sorts them roughly and builds segment after segment in the
  // cache. REQUIRES: no other call between the first set_aside and settle.
  void set_aside(uint64_t hash, uint32_t value) { aside_.push_back({half_of(hash), value}); }

  // `meet(there, fresh)` is called when two values look alike by hash, as they were set aside: it may change `there`,
  // and answers whether that took in `fresh`, which gets no place of its own then.
  template <class Meet>
  void settle(Meet&& meet) {
    std::vector<uint32_t> counts(segments_.size());
    for (const Slot& slot : aside_) ++counts[index_of(slot.half)];
    const std::vector<Slot> sorted = sorted_aside();
    for (size_t i = 0; i < segments_.size(); ++i) {
      const uint32_t capacity = counts[i] + counts[i] / 3 + 5;  // three quarters full
      segments_[i] = {std::make_unique<Slot[]>(capacity), capacity, 0};
    }
    for (const Slot& slot : sorted) settle_one(segments_[index_of(slot.half)], slot, meet);
    for (const Segment& segment : segments_) size_ += segment.used;
  }

  size_t size() const { return size_; }
  size_t bytes() const {
    size_t sum = segments_.size() * sizeof(Segment);
    for (const Segment& s : segments_) sum += s.capacity * sizeof(Slot);
    return sum;
  }

 private:
  struct Slot {
    uint32_t half = 0;
    uint32_t value = kNone;
  };
  struct Segment {
    std::unique_ptr<Slot[]> slots;
    uint32_t capacity = 0, used = 0;
    uint32_t home(uint32_t half) const {
      return static_cast<uint32_t>(uint64_t{half << kSegmentBits} * capacity >> 32);
    }
    uint32_t after(uint32_t at) const { return at + 1 == capacity ? 0 : at + 1; }
  };

  static uint32_t half_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  static size_t index_of(uint32_t half) { return uint64_t{half} >> (32 - kSegmentBits); }

  static void place(Segment& segment, Slot slot) {
    uint32_t at = segment.home(slot.half);
    while (segment.slots[at].value != kNone) at = segment.after(at);
    segment.slots[at] = slot;
  }

  static void resize(Segment& segment, uint32_t capacity) {
    Segment bigger{std::make_unique<Slot[]>(capacity), capacity, segment.used};
    for (uint32_t i = 0; i < segment.capacity; ++i)
      if (segment.slots[i].value != kNone) place(bigger, segment.slots[i]);
    segment = std::move(bigger);
  }

  // What was set aside, by the first bits of the hash and in its order otherwise. More bits at once would scatter to
  // more places than the processor keeps at hand.
  std::vector<Slot> sorted_aside() {
    constexpr unsigned kBits = 8;
    std::array<size_t, (1 << kBits) + 1> starts{};
    for (const Slot& slot : aside_) ++starts[(slot.half >> (32 - kBits)) + 1];
    for (size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
    std::vector<Slot> sorted(aside_.size());
    for (const Slot& slot : aside_) sorted[starts[slot.half >> (32 - kBits)]++] = slot;
    std::vector<Slot>().swap(aside_);
    return sorted;
  }

  template <class Meet>
  static void settle_one(Segment& segment, Slot slot, Meet& meet) {
    uint32_t at = segment.home(slot.half);
    for (; segment.slots[at].value != kNone; at = segment.after(at))
      if (segment.slots[at].half == slot.half && meet(segment.slots[at].value, slot.value)) return;
    segment.slots[at] = slot;
    ++segment.used;
  }

  // Moves back what probing had pushed past the hole, so that no tombstones are needed.
  static void close(Segment& segment, uint32_t hole) {
    for (uint32_t at = segment.after(hole); segment.slots[at].value != kNone; at = segment.after(at)) {
      const uint32_t home = segment.home(segment.slots[at].half);
      // It may move to the hole unless its home lies (cyclically) behind the hole.
      const bool stays = hole <= at ? hole < home && home <= at : hole < home || home <= at;
      if (stays) continue;
      segment.slots[hole] = segment.slots[at];
      hole = at;
    }
    segment.slots[hole] = Slot{};
  }

  std::vector<Segment> segments_;
  size_t size_ = 0;
  std::vector<Slot> aside_;  // empty but between set_aside and settle
};

}  // namespace godwit
