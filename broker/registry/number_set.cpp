#include "broker/registry/number_set.hpp"

#include <algorithm>
#include <bit>

namespace godwit {
namespace {

constexpr size_t kWords = 65536 / 64;
// Where an array of two bytes each grows past the bitmap; the way back is lower, so that one member cannot flap it.
constexpr uint32_t kManyFrom = 4096, kFewBelow = 2048;

uint16_t high_of(uint32_t number) {
  return static_cast<uint16_t>(number >> 16);
}
uint16_t low_of(uint32_t number) {
  return static_cast<uint16_t>(number);
}
uint64_t bit(uint16_t low) {
  return uint64_t{1} << (low & 63);
}

}  // namespace

bool NumberSet::Part::contains(uint16_t low) const {
  if (many) return many[low / 64] & bit(low);
  return std::binary_search(few.begin(), few.end(), low);
}

bool NumberSet::Part::add(uint16_t low) {
  if (!many) {
    const auto at = few.empty() || few.back() < low ? few.end() : std::lower_bound(few.begin(), few.end(), low);
    if (at != few.end() && *at == low) return false;
    few.insert(at, low);
    if (++count <= kManyFrom) return true;
    many = std::make_unique<uint64_t[]>(kWords);
    for (const uint16_t member : few) many[member / 64] |= bit(member);
    std::vector<uint16_t>().swap(few);  // gives the memory back, which `= {}` would not
    return true;
  }
  uint64_t& word = many[low / 64];
  if (word & bit(low)) return false;
  word |= bit(low);
  ++count;
  return true;
}

bool NumberSet::Part::remove(uint16_t low) {
  if (!contains(low)) return false;
  --count;
  if (!many) {
    few.erase(std::lower_bound(few.begin(), few.end(), low));
    return true;
  }
  many[low / 64] &= ~bit(low);
  if (count >= kFewBelow) return true;
  few.reserve(count);
  for (uint32_t at = next(0); at != kNone; at = next(at + 1)) few.push_back(static_cast<uint16_t>(at));
  many.reset();
  return true;
}

uint32_t NumberSet::Part::next(uint32_t from) const {
  if (from > 0xffff) return kNone;
  if (!many) {
    const auto at = std::lower_bound(few.begin(), few.end(), static_cast<uint16_t>(from));
    return at == few.end() ? kNone : *at;
  }
  size_t word = from / 64;
  uint64_t bits = many[word] & (~uint64_t{0} << (from % 64));
  while (bits == 0) {
    if (++word == kWords) return kNone;
    bits = many[word];
  }
  return static_cast<uint32_t>(word * 64 + static_cast<size_t>(std::countr_zero(bits)));
}

std::vector<NumberSet::Part>::const_iterator NumberSet::part(uint16_t high) const {
  return std::lower_bound(parts_.begin(), parts_.end(), high, [](const Part& p, uint16_t h) { return p.high < h; });
}
std::vector<NumberSet::Part>::iterator NumberSet::part(uint16_t high) {
  return parts_.begin() + (static_cast<const NumberSet*>(this)->part(high) - parts_.cbegin());
}

bool NumberSet::add(uint32_t number) {
  auto at = part(high_of(number));
  if (at == parts_.end() || at->high != high_of(number)) {
    Part fresh;
    fresh.high = high_of(number);
    at = parts_.insert(at, std::move(fresh));
  }
  if (!at->add(low_of(number))) return false;
  ++size_;
  return true;
}

bool NumberSet::remove(uint32_t number) {
  const auto at = part(high_of(number));
  if (at == parts_.end() || at->high != high_of(number) || !at->remove(low_of(number))) return false;
  if (at->count == 0) parts_.erase(at);
  --size_;
  return true;
}

bool NumberSet::contains(uint32_t number) const {
  const auto at = part(high_of(number));
  return at != parts_.end() && at->high == high_of(number) && at->contains(low_of(number));
}

uint32_t NumberSet::next(uint32_t from) const {
  for (auto at = part(high_of(from)); at != parts_.end(); ++at) {
    const uint32_t low = at->next(at->high == high_of(from) ? low_of(from) : 0);
    if (low != kNone) return uint32_t{at->high} << 16 | low;
  }
  return kNone;
}

size_t NumberSet::bytes() const {
  size_t sum = parts_.capacity() * sizeof(Part);
  for (const Part& p : parts_) sum += p.few.capacity() * sizeof(uint16_t) + (p.many ? kWords * sizeof(uint64_t) : 0);
  return sum;
}

}  // namespace godwit
