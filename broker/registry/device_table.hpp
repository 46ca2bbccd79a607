// DeviceTable: device number -> packed device, with a flag "the catalogue does not have this state yet".
//
// Pages of pointers, so that the numbers of devices that are gone cost nothing once their whole page is gone. Each
// packed device is one allocation of its exact size. Owned by one thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace godwit {

class DeviceTable {
 public:
  // The packed bytes, or null.
  const char* at(uint32_t number) const {
    const size_t page = number / kPage;
    return page < pages_.size() && pages_[page] ? pages_[page]->records[number % kPage].get() : nullptr;
  }

  // Puts a copy of `packed` in; what was there before goes into the answer, to be let go of when nobody looks at it.
  using Bytes = std::unique_ptr<char[]>;
  Bytes put(uint32_t number, std::string_view packed);
  Bytes take(uint32_t number);  // REQUIRES: at(number). Clears the flag too.

  bool flag(uint32_t number) const {
    const size_t page = number / kPage;
    return page < pages_.size() && pages_[page] && pages_[page]->flags[number % kPage];
  }
  void set_flag(uint32_t number, bool on) {
    pages_[number / kPage]->flags[number % kPage] = on;
  }  // REQUIRES: at(number)

  uint32_t size() const { return size_; }
  size_t bytes() const;

 private:
  static constexpr uint32_t kPage = 1024;
  struct Page {
    Bytes records[kPage];
    std::bitset<kPage> flags;
    uint32_t used = 0;
  };
  size_t cost(const Bytes& bytes) const;

  std::vector<std::unique_ptr<Page>> pages_;
  uint32_t size_ = 0, pages_used_ = 0;
  size_t record_bytes_ = 0;
};

}  // namespace godwit
