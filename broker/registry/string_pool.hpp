// StringPool keeps each text once and gives it a small number: manufacturers, models, versions, tags, channel names, of
// which a million devices have a few thousand. Counts who uses a text, so that it goes with its last user; numbers of
// gone texts are used again, which keeps them short in the packed records.
//
// Number 0 is the empty text and is not counted. Owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "broker/registry/hash_index.hpp"

namespace godwit {

class StringPool {
 public:
  static constexpr uint32_t kNone = ~0u;

  StringPool();

  // The text's number, with one more user.
  uint32_t acquire(std::string_view text);
  // One user less. Views of a text without users are gone.
  void release(uint32_t number);
  // The text's number or kNone.
  uint32_t find(std::string_view text) const;
  std::string_view text(uint32_t number) const { return entries_[number].view(); }

  size_t size() const { return index_.size(); }
  size_t bytes() const;

 private:
  struct Entry {
    std::unique_ptr<char[]> text;
    uint32_t size = 0;
    uint32_t users = 0;
    std::string_view view() const { return {text.get(), size}; }
  };

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  HashIndex<6> index_;
  size_t text_bytes_ = 0;
};

}  // namespace godwit
