// UserIndex: (app, user) -> the user's devices, ascending. Most users have one device, and one costs a slot of the
// index and nothing else; more live in a small list. The user's name is read from the first device's packed record.
// Owned by one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "broker/registry/hash_index.hpp"

namespace godwit {

class UserIndex {
 public:
  static constexpr uint32_t kListBit = 1u << 31;  // device numbers stay below it

  // `is_users(device)`: does that device belong to the user that `hash` is of?
  template <class IsUsers>
  std::span<const uint32_t> find(uint64_t hash, IsUsers&& is_users) const {
    const uint32_t* value = index_.locate(hash, [&](uint32_t v) { return is_users(first(v)); });
    if (!value) return {};
    if (!(*value & kListBit)) return {value, 1};
    return lists_[*value & ~kListBit];
  }

  template <class IsUsers>
  void add(uint64_t hash, uint32_t device, IsUsers&& is_users) {
    const uint32_t value = index_.find(hash, [&](uint32_t v) { return is_users(first(v)); });
    if (value == HashIndex<9>::kNone) return index_.insert(hash, device);
    index_.replace(hash, value, with(value, device));
  }

  // Filling the index at once, see HashIndex. `same_user(a, b)`: do these two devices belong to one user?
  void set_aside(uint64_t hash, uint32_t device) { index_.set_aside(hash, device); }
  template <class SameUser>
  void settle(SameUser&& same_user) {
    index_.settle([&](uint32_t& there, uint32_t device) {
      if (!same_user(first(there), device)) return false;
      there = with(there, device);
      return true;
    });
  }

  // REQUIRES: added with this hash.
  void remove(uint64_t hash, uint32_t device);

  size_t bytes() const { return index_.bytes() + lists_.capacity() * sizeof(lists_[0]) + list_bytes_; }

 private:
  uint32_t first(uint32_t value) const { return value & kListBit ? lists_[value & ~kListBit].front() : value; }
  uint32_t with(uint32_t value, uint32_t device);  // the value for those of `value` and one more

  HashIndex<9> index_;
  std::vector<std::vector<uint32_t>> lists_;  // sorted; of two devices and more
  std::vector<uint32_t> free_;
  size_t list_bytes_ = 0;
};

}  // namespace godwit
