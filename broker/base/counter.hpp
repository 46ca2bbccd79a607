// Counter: a figure that one module writes on its hot path and the metrics read at any time.
#pragma once

#include <atomic>
#include <cstdint>

namespace godwit {

// Relaxed order: a figure orders nothing. `bump` and `set` are for a single writer (no locked instruction on the bus),
// `bump_shared` and `drop_shared` for several; a counter uses one of the two pairs.
class Counter {
 public:
  void bump(uint64_t n = 1) { v_.store(v_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void set(uint64_t v) { v_.store(v, std::memory_order_relaxed); }
  void bump_shared(uint64_t n = 1) { v_.fetch_add(n, std::memory_order_relaxed); }
  void drop_shared(uint64_t n = 1) { v_.fetch_sub(n, std::memory_order_relaxed); }
  uint64_t value() const { return v_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> v_{0};
};

}  // namespace godwit
