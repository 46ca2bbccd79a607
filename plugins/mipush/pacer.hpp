// Pacer keeps calls below so many a second, and goes slower for a while after the vendor said that it was too fast.
//
// A bucket of a second's worth; `slow_down` halves the rate, which then grows back by a tenth each second. Time is a
// parameter. One owner (the lane).
#pragma once

#include <algorithm>
#include <cstdint>

namespace mipush {

class Pacer {
 public:
  explicit Pacer(double calls_per_s) : most_(calls_per_s), rate_(calls_per_s), tokens_(calls_per_s) {}

  // 0: a call may leave now, and counts. Else: come back after so many nanoseconds.
  [[nodiscard]] uint64_t take(uint64_t now_ns) {
    refill(now_ns);
    if (tokens_ < 1) return static_cast<uint64_t>((1 - tokens_) / rate_ * 1e9) + 1;
    tokens_ -= 1;
    return 0;
  }
  void slow_down(uint64_t now_ns) {
    refill(now_ns);
    rate_ = std::max(1.0, rate_ / 2);
    tokens_ = std::min(tokens_, 0.0);
  }
  double rate() const { return rate_; }

 private:
  void refill(uint64_t now_ns) {
    if (last_ns_ == 0) last_ns_ = now_ns;
    const double seconds = static_cast<double>(now_ns - last_ns_) / 1e9;
    last_ns_ = now_ns;
    rate_ = std::min(most_, rate_ + most_ * 0.1 * seconds);
    tokens_ = std::min(rate_, tokens_ + rate_ * seconds);
  }

  const double most_;
  double rate_, tokens_;
  uint64_t last_ns_ = 0;
};

}  // namespace mipush
