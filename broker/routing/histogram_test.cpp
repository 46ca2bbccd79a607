#include "broker/routing/histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "broker/base/random.hpp"

namespace godwit::routing {
namespace {

TEST(LogHistogram, GuessHasTheMedianThatItWasGiven) {
  const LogHistogram h(2, 1, 10);
  EXPECT_NEAR(h.quantile_s(0.5), 2, 0.3);
  EXPECT_NEAR(h.share_below(LogHistogram::position(2)), 0.5, 0.05);
}

TEST(LogHistogram, LearnsTheDelaysThatItSees) {
  LogHistogram h(2, 1, 10);
  for (int i = 1; i <= 10000; ++i) h.add(20 + i * 0.002, 1);  // uniform 20..40 s
  EXPECT_NEAR(h.quantile_s(0.5), 30, 2.5);
  EXPECT_NEAR(h.share_below(LogHistogram::position(52)), 1, 0.01);
  EXPECT_LT(h.share_below(LogHistogram::position(15)), 0.01);
}

TEST(LogHistogram, EndsAreSafe) {
  LogHistogram h(2, 1, 10);
  for (const double s : {-1.0, 0.0, 1e-9, 1e9, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    h.add(s, 1);
    const double share = h.share_below(LogHistogram::position(s));
    EXPECT_GE(share, 0);
    EXPECT_LE(share, 1);
  }
  EXPECT_GT(h.quantile_s(1.0), 0);
  EXPECT_GT(h.quantile_s(0.0), 0);
}

TEST(LogHistogram, ScalingChangesNoShare) {
  LogHistogram h(2, 1, 10);
  const double before = h.quantile_s(0.9);
  h.scale(std::exp2(-300));
  EXPECT_DOUBLE_EQ(h.quantile_s(0.9), before);
}

TEST(LogHistogram, RefusesRubbish) {
  LogHistogram h(2, 1, 10);
  std::array<double, LogHistogram::kBuckets> falling{};
  falling[0] = 2, falling[1] = 1;
  EXPECT_FALSE(h.assign(falling));
  EXPECT_FALSE(h.assign({}));
}

}  // namespace
}  // namespace godwit::routing
