#include "broker/routing/cascade.hpp"

#include <gtest/gtest.h>

namespace godwit::routing {
namespace {

TEST(Cascade, SilenceAfterASureReceiptWouldHaveComeMeansItDidNotArrive) {
  SilenceSum sum;
  sum.add(0.8, 1.0);
  const Silence s = sum.given(0, 0);
  EXPECT_DOUBLE_EQ(s.reach, 1);
  EXPECT_DOUBLE_EQ(s.none_delivered, 1);
}

TEST(Cascade, SilenceOfAChannelThatNeverReportsChangesNothing) {
  SilenceSum sum;
  sum.add(0.8, 0.0);
  const Silence s = sum.given(0, 0.1);
  EXPECT_DOUBLE_EQ(s.reach, 0.9);
  EXPECT_NEAR(s.none_delivered, 0.2, 1e-12);
}

TEST(Cascade, SilenceOnTwoGoodChannelsSpeaksForADeviceOutOfReach) {
  SilenceSum sum;
  sum.add(0.9, 1.0);
  sum.add(0.9, 1.0);
  // Bayes by hand: 0.05 / (0.05 + 0.95 * 0.01).
  EXPECT_NEAR(sum.given(0, 0.05).reach, 1 - 0.05 / (0.05 + 0.95 * 0.01), 1e-12);
}

TEST(Cascade, ASecondSendPaysForWhatTheFirstMissesAndForDuplicates) {
  const Silence half{1.0, 1.0, 0.5};
  FallbackTerms terms;
  terms.value = 2, terms.cost = 0.1, terms.p = 0.8;
  EXPECT_NEAR(fallback_utility(half, terms), 2 * 0.5 * 0.8 - 0.1, 1e-12);
  terms.duplicate_penalty = 0.3, terms.dedupe = 0.5;
  EXPECT_NEAR(fallback_utility(half, terms), 2 * 0.5 * 0.8 - 0.1 - 0.3 * 0.5 * 0.8 * 0.5, 1e-12);
}

TEST(Cascade, AnotherPathStillReachesADeviceThatIsOutOfReach) {
  const Silence away{1.0, 0.1, 1.0};
  FallbackTerms terms;
  terms.value = 1, terms.p = 0.9;
  EXPECT_NEAR(fallback_utility(away, terms), 0.09, 1e-12);
  terms.independent = true;
  EXPECT_NEAR(fallback_utility(away, terms), 0.9, 1e-12);
}

TEST(Cascade, LongSilenceSpeaksForADeviceThatIsGone) {
  SilenceSum sum;
  for (int i = 0; i < 3; ++i) sum.add(0.9, 1.0);
  EXPECT_LT(sum.given(0.5, 0.05).alive, 0.06);
}

TEST(Cascade, CertaintiesGiveNoNaN) {
  SilenceSum sum;
  for (int i = 0; i < 4; ++i) sum.add(1.0, 1.0);
  for (const double certain : {0.0, 1.0}) {
    const Silence s = sum.given(certain, 1 - certain);
    EXPECT_GE(s.reach, 0);
    EXPECT_LE(s.reach, 1);
    EXPECT_GE(s.none_delivered, 0);
  }
}

}  // namespace
}  // namespace godwit::routing
