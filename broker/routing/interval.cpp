#include "broker/routing/interval.hpp"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace godwit::routing {

Interval beta_95(double a, double b) {
  // Far beyond any sample size that we show, where the quantile's iteration only costs time.
  const double scale = std::max(1.0, (a + b) / 1e9);
  a = std::max(1e-3, a / scale), b = std::max(1e-3, b / scale);
  using boost::math::policies::domain_error;
  using boost::math::policies::errno_on_error;
  using boost::math::policies::evaluation_error;
  using boost::math::policies::overflow_error;
  using Quiet = boost::math::policies::policy<domain_error<errno_on_error>, evaluation_error<errno_on_error>,
                                              overflow_error<errno_on_error>>;
  Interval out{boost::math::ibeta_inv(a, b, 0.025, Quiet()), boost::math::ibeta_inv(a, b, 0.975, Quiet())};
  if (!(out.low >= 0)) out.low = 0;
  if (!(out.high <= 1)) out.high = 1;
  return out;
}

Interval jeffreys_95(double successes, double trials) {
  successes = std::max(0.0, successes);
  const double failures = std::max(0.0, trials - successes);
  Interval out = beta_95(successes + 0.5, failures + 0.5);
  if (successes == 0) out.low = 0;  // Brown, Cai, DasGupta 2001: at the ends the interval reaches the end
  if (failures == 0) out.high = 1;
  return out;
}

}  // namespace godwit::routing
