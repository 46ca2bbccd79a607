// Slab hands out records by number from chunks that never move, so that a record is a plain struct without a heap block
// of its own, and a 32-bit number names it.
//
// The record keeps `generation`, which grows with every release: number and generation together name one use of a
// record, so a late event for an earlier use is recognised. Memory is kept for the next connection storm, never given
// back. One thread. REQUIRES of T: `uint32_t generation`, `uint32_t next_free`, reset().
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <vector>

namespace selfconn {

inline constexpr uint32_t kNone = 0xFFFFFFFF;

template <class T, uint32_t kChunk = 256>
class Slab {
 public:
  // A record as T's constructor or reset() left it.
  uint32_t take() {
    if (free_ == kNone) grow();
    const uint32_t index = free_;
    free_ = (*this)[index].next_free;
    ++used_;
    return index;
  }

  void release(uint32_t index) {
    T& record = (*this)[index];
    record.reset();
    ++record.generation;
    record.next_free = free_;
    free_ = index;
    --used_;
  }

  T& operator[](uint32_t index) { return chunks_[index / kChunk][index % kChunk]; }
  const T& operator[](uint32_t index) const { return chunks_[index / kChunk][index % kChunk]; }

  // The record if that use of it still lasts.
  T* find(uint32_t index, uint32_t generation) {
    if (index >= size()) return nullptr;
    T& record = (*this)[index];
    return record.generation == generation ? &record : nullptr;
  }

  uint32_t used() const { return used_; }
  uint32_t size() const { return static_cast<uint32_t>(chunks_.size()) * kChunk; }  // free ones included

 private:
  void grow() {
    const uint32_t first = size();
    chunks_.push_back(std::make_unique<T[]>(kChunk));
    for (uint32_t i = kChunk; i-- > 0;) {
      chunks_.back()[i].next_free = free_;
      free_ = first + i;
    }
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  uint32_t free_ = kNone;
  uint32_t used_ = 0;
};

}  // namespace selfconn
