// Credible intervals of rates. The only file that includes Boost.Math.
#pragma once

namespace godwit::routing {

struct Interval {
  double low = 0, high = 1;
};

// The central 95 % of Beta(a, b). REQUIRES: a > 0, b > 0.
Interval beta_95(double a, double b);

// Jeffreys' interval of `successes` in `trials`: honest at 0 and at 1, where the normal approximation is not.
Interval jeffreys_95(double successes, double trials);

}  // namespace godwit::routing
