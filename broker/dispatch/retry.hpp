// When and how often one channel is tried again for the same delivery. Only the engine retries, plugins never do.
#pragma once

#include <algorithm>
#include <cstdint>

#include "broker/base/clock.hpp"
#include "broker/base/random.hpp"

namespace godwit::dispatch {

// Full jitter (reliability.md §4): anything between nothing and base·2^n, so that those who failed together do not come
// back together.
inline int64_t backoff_ms(unsigned failures, int64_t base_ms, int64_t cap_ms, Random& random) {
  const int64_t ceiling = std::min(cap_ms, base_ms << std::min(failures, 20u));
  return static_cast<int64_t>(random.below(static_cast<uint64_t>(ceiling) + 1));
}

// RetryTokens bounds what retries add to a channel that is in trouble: ten successes pay for one retry, and a full
// purse for a burst. Without it every message would be sent three times exactly when the vendor can bear it least.
//
// Time pays a little too: what failed at the end of a burst is not followed by successes that could pay for it, and
// would wait for ever. (Finagle's RetryBudget has the same floor, 10 a second by default.)
class RetryTokens {
 public:
  struct Pay {
    double per_success = 0.1, per_second = 10, cap = 100;
  };
  explicit RetryTokens(Pay pay) : pay_(pay), tokens_(pay.cap) {}

  void success() { tokens_ = std::min(pay_.cap, tokens_ + pay_.per_success); }
  [[nodiscard]] bool take(MonoNs now) {
    const double seconds = static_cast<double>(now - paid_at_) / kNsPerSecond;
    paid_at_ = now;
    tokens_ = std::min(pay_.cap, tokens_ + seconds * pay_.per_second);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  const Pay pay_;
  double tokens_;
  MonoNs paid_at_ = 0;  // by time
};

}  // namespace godwit::dispatch
