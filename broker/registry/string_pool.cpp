#include "broker/registry/string_pool.hpp"

#include <cassert>
#include <cstring>

#include "broker/base/hash.hpp"

namespace godwit {

StringPool::StringPool() : entries_(1) {}

uint32_t StringPool::find(std::string_view text) const {
  if (text.empty()) return 0;
  return index_.find(StringHash{}(text), [&](uint32_t n) { return entries_[n].view() == text; });
}

uint32_t StringPool::acquire(std::string_view text) {
  if (text.empty()) return 0;
  const uint64_t hash = StringHash{}(text);
  uint32_t number = index_.find(hash, [&](uint32_t n) { return entries_[n].view() == text; });
  if (number == kNone) {
    if (free_.empty()) {
      number = static_cast<uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    Entry& entry = entries_[number];
    entry.text = std::make_unique_for_overwrite<char[]>(text.size());
    std::memcpy(entry.text.get(), text.data(), text.size());
    entry.size = static_cast<uint32_t>(text.size());
    text_bytes_ += text.size();
    index_.insert(hash, number);
  }
  ++entries_[number].users;
  return number;
}

void StringPool::release(uint32_t number) {
  if (number == 0) return;
  Entry& entry = entries_[number];
  assert(entry.users > 0);
  if (--entry.users > 0) return;
  index_.erase(StringHash{}(entry.view()), number);
  text_bytes_ -= entry.size;
  entry = Entry{};
  free_.push_back(number);
}

size_t StringPool::bytes() const {
  return entries_.capacity() * sizeof(Entry) + free_.capacity() * sizeof(uint32_t) + index_.bytes() + text_bytes_;
}

}  // namespace godwit
