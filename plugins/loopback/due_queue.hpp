// DueQueue holds what must happen later, the earliest first. One thread; knows no clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace loopback {

template <class T>
class DueQueue {
 public:
  void add(uint64_t due_ns, T item) {
    heap_.push_back({due_ns, std::move(item)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  uint64_t earliest() const { return heap_.front().due_ns; }  // REQUIRES: !empty()
  T take() {                                                  // REQUIRES: !empty()
    std::pop_heap(heap_.begin(), heap_.end(), later);
    T item = std::move(heap_.back().item);
    heap_.pop_back();
    return item;
  }
  // In no order; the items may be changed, not their times.
  template <class F>
  void for_each(F f) {
    for (Entry& entry : heap_) f(entry.item);
  }

 private:
  struct Entry {
    uint64_t due_ns;
    T item;
  };
  static bool later(const Entry& a, const Entry& b) { return a.due_ns > b.due_ns; }
  std::vector<Entry> heap_;
};

}  // namespace loopback
