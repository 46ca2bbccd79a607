// Decay: how old evidence loses weight. Two ways, because two uses want different things.
//
// ForwardDecay (Cormode et al. 2009) gives an outcome the weight 2^((t - epoch) / H) of the moment it was *sent* and
// leaves everything counted before untouched; readers divide by today's weight. So ratios need no decay at all, an
// outcome is taken back exactly, and the order in which receipts come back does not matter. Many counters share one.
//
// Decayed is a single sum that is decayed whenever it is touched; for the few short-lived sums of a channel.
#pragma once

#include <algorithm>
#include <cmath>

namespace godwit::routing {

class ForwardDecay {
 public:
  explicit ForwardDecay(double half_life_s) : per_half_life_(1 / std::max(half_life_s, 1.0)) {}

  double weight(double t) const { return std::exp2(std::clamp((t - epoch_) * per_half_life_, -60.0, 500.0)); }
  double inverse(double t) const { return 1 / weight(t); }

  // Once in 64 half-lives the owner of the counters must scale them by the factor answered here (a power of two, so
  // nothing is rounded); 1 means nothing to do.
  double rebase(double t) {
    const double elapsed = std::floor((t - epoch_) * per_half_life_);
    if (elapsed < 64) return 1;
    epoch_ += elapsed / per_half_life_;
    return std::exp2(-std::min(elapsed, 1000.0));
  }

  double epoch() const { return epoch_; }
  void set_epoch(double epoch) { epoch_ = epoch; }

 private:
  double per_half_life_;
  double epoch_ = 0;
};

struct Decayed {
  double sum = 0;
  double at = 0;

  double read(double t, double half_life_s) const { return t > at ? sum * std::exp2(-(t - at) / half_life_s) : sum; }
  void add(double t, double half_life_s, double v) {
    sum = std::max(0.0, read(t, half_life_s) + v);
    at = std::max(at, t);
  }
};

}  // namespace godwit::routing
