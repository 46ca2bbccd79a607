// How many trials the level above is worth, learned from how much the level below really differs.
//
// Devices: if phones of a segment differ, a phone's outcome predicts its next one beyond the segment's mean; the mean
// product of successive residuals is the variance between devices. Segments: the variance between segments of a
// manufacturer beyond what their sample sizes explain.
#pragma once

#include <algorithm>

#include "broker/base/bytes.hpp"
#include "broker/routing/decay.hpp"

namespace godwit::routing {

class DeviceSpread {
 public:
  // Two successive outcomes of one device on one channel, against the segment's mean.
  void pair(bool before, bool now, double mean, double t) {
    const double r_before = (before ? 1 : 0) - mean, r = (now ? 1 : 0) - mean;
    pairs_.add(t, kHalfLife_s, 1);
    variance_.add(t, kHalfLife_s, mean * (1 - mean));
    // A sum of signed terms: Decayed keeps sums at zero or above, so positive and negative parts are apart.
    const double product = r * r_before;
    (product > 0 ? alike_ : unlike_).add(t, kHalfLife_s, product > 0 ? product : -product);
  }

  // kappa_D: the trials that the segment's mean is worth.
  double strength(double t) const {
    const double n = pairs_.read(t, kHalfLife_s);
    if (n < 1) return kPrior;
    const double v = std::max(1e-4, variance_.read(t, kHalfLife_s) / n);
    const double between =
        (alike_.read(t, kHalfLife_s) - unlike_.read(t, kHalfLife_s) + kPriorPairs * v / (kPrior + 1)) /
        (n + kPriorPairs);
    if (between <= v / (kMost + 1)) return kMost;
    return std::clamp(v / between - 1, kLeast, kMost);
  }

  void save(ByteWriter& out) const {
    for (const Decayed& d : {pairs_, variance_, alike_, unlike_}) out.f64(d.sum), out.f64(d.at);
  }
  void restore(ByteReader& in) {
    for (Decayed* d : {&pairs_, &variance_, &alike_, &unlike_}) {
      d->sum = in.f64(), d->at = in.f64();
      if (!(d->sum >= 0 && d->sum < 1e15 && d->at >= 0 && d->at < 1e15)) in.fail();
    }
  }

  static constexpr double kPrior = 6, kLeast = 1.5, kMost = 60;

 private:
  static constexpr double kHalfLife_s = 3 * 86400.0, kPriorPairs = 50;
  Decayed pairs_, variance_, alike_, unlike_;
};

}  // namespace godwit::routing
