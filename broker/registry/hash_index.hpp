// HashIndex finds 32-bit values by a key that is stored elsewhere: the caller brings the key's hash and a question
// "is it this one?". So an id or a token lies in memory once, in the device's record, and a slot costs eight bytes.
//
// The table is cut into segments that grow and shrink each on its own, from the half of the hash that the slot keeps:
// no call ever moves more than one segment (some thousands of slots), and growing touches no record. Equal keys are the
// caller's business; the index holds what it is given.
//
// REQUIRES: hashes are seeded and well mixed (StringHash): the top bits choose the segment, the low 32 the place.
#pragma once

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
    const Segment& segment = segment_of(hash);
    if (segment.used == 0) return nullptr;
    const uint32_t low = static_cast<uint32_t>(hash);
    for (uint32_t at = segment.home(low);; at = segment.after(at)) {
      const Slot& slot = segment.slots[at];
      if (slot.value == kNone) return nullptr;
      if (slot.low == low && is_it(slot.value)) return &slot.value;
    }
  }

  void insert(uint64_t hash, uint32_t value) {
    Segment& segment = segment_of(hash);
    if (segment.used + 1 > segment.capacity / 5 * 4) resize(segment, segment.capacity + segment.capacity / 4 + 10);
    place(segment, {static_cast<uint32_t>(hash), value});
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
    Segment& segment = segment_of(hash);
    if (segment.used == 0) return;
    const uint32_t low = static_cast<uint32_t>(hash);
    uint32_t hole = segment.home(low);
    while (segment.slots[hole].low != low || segment.slots[hole].value != value) {
      if (segment.slots[hole].value == kNone) return;
      hole = segment.after(hole);
    }
    close(segment, hole);
    --segment.used;
    --size_;
    if (segment.used < segment.capacity / 5 * 2) resize(segment, segment.used + segment.used / 2 + 5);
  }

  size_t size() const { return size_; }
  size_t bytes() const {
    size_t sum = segments_.size() * sizeof(Segment);
    for (const Segment& s : segments_) sum += s.capacity * sizeof(Slot);
    return sum;
  }

 private:
  struct Slot {
    uint32_t low = 0;
    uint32_t value = kNone;
  };
  struct Segment {
    std::unique_ptr<Slot[]> slots;
    uint32_t capacity = 0, used = 0;
    uint32_t home(uint32_t low) const { return static_cast<uint32_t>(uint64_t{low} * capacity >> 32); }
    uint32_t after(uint32_t at) const { return at + 1 == capacity ? 0 : at + 1; }
  };

  Segment& segment_of(uint64_t hash) { return segments_[index_of(hash)]; }
  const Segment& segment_of(uint64_t hash) const { return segments_[index_of(hash)]; }
  static size_t index_of(uint64_t hash) { return hash >> (63 - kSegmentBits) >> 1; }  // no bits, no shift by 64

  static void place(Segment& segment, Slot slot) {
    uint32_t at = segment.home(slot.low);
    while (segment.slots[at].value != kNone) at = segment.after(at);
    segment.slots[at] = slot;
  }

  static void resize(Segment& segment, uint32_t capacity) {
    Segment bigger{std::make_unique<Slot[]>(capacity), capacity, segment.used};
    for (uint32_t i = 0; i < segment.capacity; ++i)
      if (segment.slots[i].value != kNone) place(bigger, segment.slots[i]);
    segment = std::move(bigger);
  }

  // Moves back what probing had pushed past the hole, so that no tombstones are needed.
  static void close(Segment& segment, uint32_t hole) {
    for (uint32_t at = segment.after(hole); segment.slots[at].value != kNone; at = segment.after(at)) {
      const uint32_t home = segment.home(segment.slots[at].low);
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
};

}  // namespace godwit
