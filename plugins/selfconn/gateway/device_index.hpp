// DeviceIndex finds a device's connection by the hash of its address: 8 bytes a slot, open addressing, at most 3/4
// full.
//
// Only half of the hash is kept (the other half chose the shard); the caller's `is_it` settles what the 32 bits leave
// open. Removing moves later entries up, so that there are no tombstones to clean. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "plugins/selfconn/gateway/slab.hpp"

namespace selfconn {

class DeviceIndex {
 public:
  // The record for which is_it(record) holds, or kNone.
  template <class IsIt>
  uint32_t find(uint32_t tag, IsIt is_it) const {
    if (slots_.empty()) return kNone;
    for (size_t at = tag & mask(); slots_[at].record != kNone; at = (at + 1) & mask())
      if (slots_[at].tag == tag && is_it(slots_[at].record)) return slots_[at].record;
    return kNone;
  }

  // REQUIRES: the device is not in the index.
  void insert(uint32_t tag, uint32_t record) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    place(tag, record);
    ++size_;
  }

  // False when that pair is not in the index.
  bool erase(uint32_t tag, uint32_t record) {
    if (slots_.empty()) return false;
    size_t hole = tag & mask();
    while (slots_[hole].record != record) {
      if (slots_[hole].record == kNone) return false;
      hole = (hole + 1) & mask();
    }
    for (size_t at = (hole + 1) & mask(); slots_[at].record != kNone; at = (at + 1) & mask()) {
      // An entry may move up into the hole unless its own place lies behind the hole.
      const size_t home = slots_[at].tag & mask();
      if (((at - home) & mask()) >= ((at - hole) & mask())) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole].record = kNone;
    --size_;
    return true;
  }

  size_t size() const { return size_; }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t record = kNone;
  };
  size_t mask() const { return slots_.size() - 1; }
  void place(uint32_t tag, uint32_t record) {
    size_t at = tag & mask();
    while (slots_[at].record != kNone) at = (at + 1) & mask();
    slots_[at] = {tag, record};
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.record != kNone) place(slot.tag, slot.record);
  }

  std::vector<Slot> slots_;  // a power of two
  size_t size_ = 0;
};

}  // namespace selfconn
