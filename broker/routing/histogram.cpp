#include "broker/routing/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace godwit::routing {

LogHistogram::LogHistogram(double median_s, double sigma, double trials) {
  const double middle = position(median_s);
  const double width = 2 * sigma / std::log(2.0) * std::sqrt(2.0);  // sigma in buckets, times the sqrt(2) of erf
  for (size_t i = 0; i < kBuckets; ++i) {
    const double edge = static_cast<double>(i + 1);
    cumulative_[i] = trials * 0.5 * (1 + std::erf((edge - middle) / width));
  }
  cumulative_[kBuckets - 1] = trials;
}

double LogHistogram::position(double seconds) {
  if (!(seconds > kFirst_s)) return 0;
  return std::min<double>(kBuckets, 2 * std::log2(seconds / kFirst_s));
}

double LogHistogram::seconds(double position) {
  return kFirst_s * std::exp2(position / 2);
}

void LogHistogram::add(double seconds, double weight) {
  const auto bucket = std::min(kBuckets - 1, static_cast<size_t>(position(seconds)));
  for (size_t i = bucket; i < kBuckets; ++i) cumulative_[i] += weight;
}

void LogHistogram::scale(double factor) {
  for (double& v : cumulative_) v *= factor;
}

double LogHistogram::share_below(double position) const {
  const double total = cumulative_[kBuckets - 1];
  if (position >= kBuckets) return 1;
  const auto bucket = static_cast<size_t>(std::max(0.0, position));
  const double below = bucket == 0 ? 0 : cumulative_[bucket - 1];
  const double inside = (cumulative_[bucket] - below) * (position - static_cast<double>(bucket));
  return std::clamp((below + inside) / total, 0.0, 1.0);
}

double LogHistogram::quantile_s(double share) const {
  const double wanted = share * cumulative_[kBuckets - 1];
  const auto at = std::lower_bound(cumulative_.begin(), cumulative_.end(), wanted);
  if (at == cumulative_.end()) return seconds(kBuckets);
  const auto bucket = static_cast<size_t>(at - cumulative_.begin());
  const double below = bucket == 0 ? 0 : cumulative_[bucket - 1];
  const double inside = *at > below ? (wanted - below) / (*at - below) : 1;
  return seconds(static_cast<double>(bucket) + inside);
}

bool LogHistogram::assign(const std::array<double, kBuckets>& cumulative) {
  double last = 0;
  for (const double v : cumulative) {
    if (!std::isfinite(v) || v < last) return false;
    last = v;
  }
  if (!(last > 0)) return false;
  cumulative_ = cumulative;
  return true;
}

}  // namespace godwit::routing
