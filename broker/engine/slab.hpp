// Slab<T>: objects of one type under dense 32-bit numbers, recycled, at addresses that stay. Numbers instead of
// pointers keep the links between messages, deliveries and attempts at four bytes. One owner.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace godwit::engine {

constexpr uint32_t kNone = ~0u;

template <class T, unsigned kChunkBits = 10>
class Slab {
 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for (uint32_t i = 0; i < slots(); ++i)
      if (alive(i)) place(i).value.~T();
  }

  uint32_t add() {
    uint32_t i;
    if (free_ != kNone) {
      i = free_;
      free_ = place(i).next_free;
    } else {
      i = end_++;
      if ((i & (kChunk - 1)) == 0) chunks_.push_back(std::make_unique<Chunk>());
    }
    new (&place(i).value) T();
    ++generation(i);  // odd: alive
    ++size_;
    return i;
  }
  void remove(uint32_t i) {
    assert(alive(i));
    place(i).value.~T();
    ++generation(i);
    place(i).next_free = free_;
    free_ = i;
    --size_;
  }

  T& operator[](uint32_t i) {
    assert(alive(i));
    return place(i).value;
  }
  const T& operator[](uint32_t i) const {
    assert(alive(i));
    return place(i).value;
  }
  bool alive(uint32_t i) const { return i < end_ && (generation(i) & 1); }
  size_t size() const { return size_; }
  uint32_t slots() const { return end_; }  // every number in use is below

  // A name that outlives the object: `find` answers kNone once the slot was given to another one.
  uint64_t name_of(uint32_t i) const { return (static_cast<uint64_t>(generation(i)) << 32) | i; }
  uint32_t find(uint64_t name) const {
    const auto i = static_cast<uint32_t>(name);
    return alive(i) && generation(i) == static_cast<uint32_t>(name >> 32) ? i : kNone;
  }

 private:
  static constexpr uint32_t kChunk = 1u << kChunkBits;
  union Place {
    Place() {}
    ~Place() {}
    T value;
    uint32_t next_free;
  };
  struct Chunk {  // generations apart: no object is padded for their sake
    std::array<Place, kChunk> places;
    std::array<uint32_t, kChunk> generations{};
  };
  Place& place(uint32_t i) { return chunks_[i >> kChunkBits]->places[i & (kChunk - 1)]; }
  const Place& place(uint32_t i) const { return chunks_[i >> kChunkBits]->places[i & (kChunk - 1)]; }
  uint32_t& generation(uint32_t i) { return chunks_[i >> kChunkBits]->generations[i & (kChunk - 1)]; }
  uint32_t generation(uint32_t i) const { return chunks_[i >> kChunkBits]->generations[i & (kChunk - 1)]; }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  uint32_t free_ = kNone, end_ = 0;
  size_t size_ = 0;
};

}  // namespace godwit::engine
