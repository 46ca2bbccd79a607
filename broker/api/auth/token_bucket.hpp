// TokenBucket admits so many units a second, one second's worth at once. A large taking is admitted when there is room
// for one, and paid off before the next: a batch is slowed down, never refused for its size.
//
// One atomic (the time at which everything taken is paid for); safe from any thread, no locks.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>

#include "broker/base/clock.hpp"

namespace godwit {

class TokenBucket {
 public:
  // 0 or less: unlimited. May be changed while others take.
  void set_rate(double per_second) {
    ns_each_ = per_second > 0 ? std::max<int64_t>(1, std::llround(kNsPerSecond / per_second)) : 0;
  }

  // Seconds until it is worth asking again; 0: taken.
  double take(int64_t n, MonoNs now) {
    const int64_t each = ns_each_.load(std::memory_order_relaxed);
    if (each == 0) return 0;
    const int64_t room = std::max(kNsPerSecond, each);  // less than one a second: one at a time
    MonoNs paid = paid_at_.load(std::memory_order_relaxed);
    while (true) {
      const MonoNs from = std::max(paid, now);
      if (from + each - now > room) return static_cast<double>(from + each - now - room) / kNsPerSecond;
      if (paid_at_.compare_exchange_weak(paid, from + n * each, std::memory_order_relaxed)) return 0;
    }
  }

  // Takes `n` that are not there: for work that is let in already and holds back what comes after it. Answers the
  // seconds until everything is paid for.
  double owe(int64_t n, MonoNs now) {
    const int64_t each = ns_each_.load(std::memory_order_relaxed);
    if (each == 0) return 0;
    MonoNs paid = paid_at_.load(std::memory_order_relaxed);
    while (!paid_at_.compare_exchange_weak(paid, std::max(paid, now) + n * each, std::memory_order_relaxed)) {
    }
    return static_cast<double>(std::max<MonoNs>(0, std::max(paid, now) + n * each - now - kNsPerSecond)) / kNsPerSecond;
  }

 private:
  std::atomic<int64_t> ns_each_{0};
  std::atomic<MonoNs> paid_at_{0};
};

}  // namespace godwit
