// Cascade: what silence tells, and whether one more send is worth it. Pure formulas on plain numbers; the router feeds
// them, the tests check them by hand.
#pragma once

#include <algorithm>

namespace godwit::routing {

// What the silence of earlier attempts leaves to be believed.
struct Silence {
  double alive = 1;           // P(the device is not gone for good | no receipt so far)
  double reach = 1;           // P(it can be reached now | no receipt so far); at most `alive`
  double none_delivered = 1;  // P(no earlier attempt arrives | reachable, no receipt so far)
};

class SilenceSum {
 public:
  // One attempt: its delivery rate when it was sent, and the share of its receipts that would have come by now.
  void add(double rate, double receipt_share) {
    const double heard = rate * receipt_share;
    likelihood_ *= 1 - heard;
    none_delivered_ *= (1 - rate) / std::max(1e-9, 1 - heard);
  }

  // The priors: gone for good, and away for a while if not gone.
  Silence given(double dormant, double away) const {
    const double gone = std::clamp(dormant, 0.0, 1.0);
    const double absent = (1 - gone) * std::clamp(away, 0.0, 1.0);
    const double here = (1 - gone - absent) * likelihood_;
    const double all = std::max(1e-9, gone + absent + here);
    return {1 - gone / all, here / all, none_delivered_};
  }

 private:
  double likelihood_ = 1;
  double none_delivered_ = 1;
};

struct FallbackTerms {
  double value = 0, cost = 0;    // of a delivery; of this send, shadow price included
  double p = 0;                  // chance of this send alone
  double duplicate_penalty = 0;  // value lost when the user sees it twice
  double dedupe = 1;             // chance that a second arrival is not shown
  bool independent = false;      // another path to the device: its being away there says nothing here
};

inline double fallback_utility(const Silence& silence, const FallbackTerms& t) {
  const double needed = silence.reach * silence.none_delivered + (t.independent ? 1 - silence.reach : 0);
  const double twice = silence.reach * (1 - silence.none_delivered) * t.p * (1 - t.dedupe);
  return t.value * needed * t.p - t.cost - t.duplicate_penalty * twice;
}

}  // namespace godwit::routing
