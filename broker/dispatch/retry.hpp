// When and how often one channel is tried again for the same delivery. Only the engine retries, plugins never do.
#pragma once

#include <algorithm>
#include <cstdint>

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
class RetryTokens {
 public:
  RetryTokens(double per_success, double cap) : per_success_(per_success), cap_(cap), tokens_(cap) {}

  void success() { tokens_ = std::min(cap_, tokens_ + per_success_); }
  [[nodiscard]] bool take() {
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double per_success_, cap_, tokens_;
};

}  // namespace godwit::dispatch
