#include "broker/registry/device_table.hpp"

#include <malloc.h>

#include <cstring>
#include <utility>

namespace godwit {

// What the allocator really spends: its rounding, and the word in front.
size_t DeviceTable::cost(const Bytes& bytes) const {
  return bytes ? malloc_usable_size(bytes.get()) + sizeof(size_t) : 0;
}

DeviceTable::Bytes DeviceTable::put(uint32_t number, std::string_view packed) {
  const size_t page = number / kPage;
  if (page >= pages_.size()) pages_.resize(page + 1);
  if (!pages_[page]) {
    pages_[page] = std::make_unique<Page>();
    ++pages_used_;
  }
  Bytes copy = std::make_unique_for_overwrite<char[]>(packed.size());
  std::memcpy(copy.get(), packed.data(), packed.size());
  Bytes& place = pages_[page]->records[number % kPage];
  record_bytes_ += cost(copy) - cost(place);
  if (!place) {
    ++pages_[page]->used;
    ++size_;
  }
  return std::exchange(place, std::move(copy));
}

DeviceTable::Bytes DeviceTable::take(uint32_t number) {
  std::unique_ptr<Page>& page = pages_[number / kPage];
  Bytes bytes = std::move(page->records[number % kPage]);
  record_bytes_ -= cost(bytes);
  page->flags[number % kPage] = false;
  --size_;
  if (--page->used == 0) {
    page.reset();
    --pages_used_;
  }
  return bytes;
}

size_t DeviceTable::bytes() const {
  return pages_.capacity() * sizeof(pages_[0]) + pages_used_ * sizeof(Page) + record_bytes_;
}

}  // namespace godwit
