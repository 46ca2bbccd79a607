#include "broker/routing/mixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "broker/base/random.hpp"

namespace godwit::routing {
namespace {

TEST(Mixture, ADeviceNotYetKnownIsLikeItsSegment) {
  const Mixture m;
  for (const double mean : {0.05, 0.3, 0.5, 0.8, 0.95}) EXPECT_NEAR(m.believe(mean, 0, 0).mean, mean, 0.01);
}

TEST(Mixture, OutcomesMoveTheEstimateTheirWay) {
  const Mixture m;
  double last = m.believe(0.8, 0, 0).mean;
  for (int f = 1; f < 8; ++f) {
    const double now = m.believe(0.8, 0, f).mean;
    EXPECT_LT(now, last);
    last = now;
  }
  EXPECT_LT(last, 0.1);  // seven of seven lost: the token is dead
  EXPECT_GT(m.believe(0.8, 7, 0).mean, 0.82);
  EXPECT_LT(m.believe(0.8, 20, 0).variance, m.believe(0.8, 1, 0).variance);
}

TEST(Mixture, NoCountsGiveRubbish) {
  const Mixture m;
  for (const double mean : {0.0, 1e-6, 0.5, 1.0})
    for (const double s : {0.0, 0.01, 255.0})
      for (const double f : {0.0, 0.01, 255.0}) {
        const Mixture::Belief r = m.believe(mean, s, f);
        EXPECT_GT(r.mean, 0);
        EXPECT_LT(r.mean, 1);
        EXPECT_GT(r.variance, 0);
        EXPECT_GE(m.believe(mean, s, f).upside(0.5), 0);
      }
}

// A fleet of which a fifth is dead and the rest equally good: five successes of five are no 91 %.
TEST(Mixture, LearnsThatDevicesAreDeadOrAlike) {
  Mixture m;
  Random random(11);
  for (int device = 0; device < 20000; ++device) {
    const double truth = random.uniform() < 0.2 ? 0 : 0.8;
    double s = 0, f = 0;
    for (int i = 0; i < 8; ++i) {
      const bool y = random.uniform() < truth;
      m.learn(0.64, s, f, y, 6 / (6 + s + f));
      (y ? s : f) += 1;
    }
    if (device % 500 == 0) m.refresh();
  }
  m.refresh();
  EXPECT_NEAR(m.believe(0.64, 5, 0).mean, 0.8, 0.04);
  EXPECT_NEAR(m.believe(0.64, 7, 1).mean, 0.8, 0.04);
  EXPECT_NEAR(m.believe(0.64, 2, 2).mean, 0.78, 0.06);
  EXPECT_LT(m.believe(0.64, 0, 4).mean, 0.05);
}

TEST(Mixture, UpsideIsWhatKnowingWouldBring) {
  const Mixture m;
  EXPECT_GT(m.believe(0.6, 0, 0).upside(0.7), m.believe(0.6, 0, 0).upside(0.9));
  EXPECT_GT(m.believe(0.6, 0, 0).upside(0.7), m.believe(0.6, 0, 6).upside(0.7));
  EXPECT_NEAR(m.believe(0.6, 0, 0).upside(0.0), 0.6, 0.02);
}

}  // namespace
}  // namespace godwit::routing
