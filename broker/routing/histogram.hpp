// LogHistogram: a distribution of delays in 40 half-octave buckets from 50 ms to 14 hours, kept cumulative so that a
// share below a time costs one look-up. Weights come from the owner (forward decay), so only ratios mean anything.
#pragma once

#include <array>
#include <cstddef>

namespace godwit::routing {

class LogHistogram {
 public:
  static constexpr size_t kBuckets = 40;
  static constexpr double kFirst_s = 0.05;

  // Starts as a log-normal guess worth `trials` of weight 1, so that no quantile is ever undefined.
  LogHistogram(double median_s, double sigma, double trials);

  // Where a delay lies on the bucket scale; the same for all histograms, so a decision computes it once.
  static double position(double seconds);
  static double seconds(double position);

  void add(double seconds, double weight);
  void scale(double factor);

  // Share of delays not above the one at `position`, 0..1.
  double share_below(double position) const;
  double quantile_s(double share) const;

  const std::array<double, kBuckets>& cumulative() const { return cumulative_; }
  // False and unchanged unless the values are finite, not negative, rising and not all zero.
  bool assign(const std::array<double, kBuckets>& cumulative);

 private:
  std::array<double, kBuckets> cumulative_{};
};

}  // namespace godwit::routing
