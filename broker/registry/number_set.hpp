// NumberSet: an ordered set of device numbers, made for "the next one from here": the members of an app or a topic.
//
// Cut by the upper 16 bits; a part with few members is a sorted array of the lower 16 bits, one with many a bitmap of
// 8 KiB (the idea of Roaring bitmaps). A topic that everybody follows costs a bit a device, a small one two bytes each.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace godwit {

class NumberSet {
 public:
  static constexpr uint32_t kNone = ~0u;

  bool add(uint32_t number);     // false: it was in already
  bool remove(uint32_t number);  // false: it was not in
  bool contains(uint32_t number) const;
  uint32_t next(uint32_t from) const;  // the first member >= from, or kNone
  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t bytes() const;  // on the heap

 private:
  struct Part {
    uint16_t high;
    uint32_t count = 0;
    std::vector<uint16_t> few;         // sorted; unused once `many` is set
    std::unique_ptr<uint64_t[]> many;  // kWords words

    bool add(uint16_t low);
    bool remove(uint16_t low);
    bool contains(uint16_t low) const;
    uint32_t next(uint32_t from) const;  // kNone when there is none
  };

  std::vector<Part>::iterator part(uint16_t high);
  std::vector<Part>::const_iterator part(uint16_t high) const;

  std::vector<Part> parts_;  // by `high`
  uint64_t size_ = 0;
};

}  // namespace godwit
