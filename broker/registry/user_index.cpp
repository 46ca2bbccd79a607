#include "broker/registry/user_index.hpp"

#include <algorithm>

namespace godwit {
namespace {

size_t heap_bytes(const std::vector<uint32_t>& devices) {
  return devices.capacity() * sizeof(uint32_t);
}

}  // namespace

uint32_t UserIndex::with(uint32_t value, uint32_t device) {
  if (!(value & kListBit)) {
    uint32_t list;
    if (free_.empty()) {
      list = static_cast<uint32_t>(lists_.size());
      lists_.emplace_back();
    } else {
      list = free_.back();
      free_.pop_back();
    }
    lists_[list].push_back(value);
    list_bytes_ += heap_bytes(lists_[list]);
    value = list | kListBit;
  }
  std::vector<uint32_t>& devices = lists_[value & ~kListBit];
  list_bytes_ -= heap_bytes(devices);
  devices.insert(std::lower_bound(devices.begin(), devices.end(), device), device);
  list_bytes_ += heap_bytes(devices);
  return value;
}

void UserIndex::remove(uint64_t hash, uint32_t device) {
  const uint32_t value = index_.find(hash, [&](uint32_t v) {
    if (!(v & kListBit)) return v == device;
    const auto& devices = lists_[v & ~kListBit];
    return std::binary_search(devices.begin(), devices.end(), device);
  });
  if (value == HashIndex<9>::kNone) return;
  if (!(value & kListBit)) return index_.erase(hash, value);
  std::vector<uint32_t>& devices = lists_[value & ~kListBit];
  devices.erase(std::lower_bound(devices.begin(), devices.end(), device));
  if (devices.size() > 1) return;
  index_.replace(hash, value, devices.front());
  list_bytes_ -= heap_bytes(devices);
  std::vector<uint32_t>().swap(devices);  // gives the memory back, which `= {}` would not
  free_.push_back(value & ~kListBit);
}

}  // namespace godwit
