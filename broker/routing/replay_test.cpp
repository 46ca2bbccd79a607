#include "broker/routing/replay.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "broker/base/random.hpp"

namespace godwit::routing {
namespace {

// Two channels; `a` truly delivers 0.8 at xiaomi and 0.3 elsewhere, `b` 0.6 everywhere. The log's policy prefers `a`
// with the given probability, and its beliefs may be wrong.
std::vector<LoggedDecision> make_log(size_t n, double prefers_a, double believed_a, double believed_b,
                                     uint64_t seed = 3) {
  Random random(seed);
  std::vector<LoggedDecision> log(n);
  for (LoggedDecision& d : log) {
    const bool xiaomi = random.below(2) == 0;
    d.manufacturer = xiaomi ? "xiaomi" : "vivo";
    d.candidates = {{"a", believed_a}, {"b", believed_b}};
    d.chosen = random.uniform() < prefers_a ? 0 : 1;
    d.propensity = d.chosen == 0 ? prefers_a : 1 - prefers_a;
    d.delivered = random.uniform() < (d.chosen == 1 ? 0.6 : xiaomi ? 0.8 : 0.3);
  }
  return log;
}

TEST(Replay, OfTheLogsOwnPolicyEqualsWhatHappened) {
  auto log = make_log(5000, 0.5, 0.5, 0.5);
  const ReplayResult r = replay(log, uniform());
  EXPECT_NEAR(r.inverse_propensity.mean, r.logged.mean, 1e-9);
  EXPECT_NEAR(r.doubly_robust.mean, r.logged.mean, 1e-9);
  EXPECT_NEAR(r.effective, 5000, 1e-6);
}

TEST(Replay, AnotherPolicysTrueValueLiesInsideBothIntervalsAsOftenAsTheySay) {
  int by_propensity = 0, robust = 0;
  const auto holds = [](const ReplayValue& v) { return v.interval.low <= 0.6 && 0.6 <= v.interval.high; };
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const auto log = make_log(3000, 0.9, 0.55, 0.6, seed);
    const ReplayResult only_b = replay(log, in_order({"b"}));
    by_propensity += holds(only_b.inverse_propensity), robust += holds(only_b.doubly_robust);
    EXPECT_LT(only_b.effective, 400);
    EXPECT_NEAR(only_b.agreement, 0.1, 0.03);
  }
  EXPECT_GE(by_propensity, 180);
  EXPECT_GE(robust, 180);
}

TEST(Replay, AWrongModelIsCorrectedByTheLog) {
  const ReplayResult r = replay(make_log(40000, 0.7, 0.99, 0.01), in_order({"b"}));
  EXPECT_NEAR(r.doubly_robust.mean, 0.6, 0.02);
}

TEST(Replay, AGoodModelNarrowsTheInterval) {
  const auto log = make_log(20000, 0.95, 0.55, 0.6);
  const ReplayResult r = replay(log, in_order({"b"}));
  const auto width = [](const ReplayValue& v) { return v.interval.high - v.interval.low; };
  EXPECT_LT(width(r.doubly_robust), width(r.inverse_propensity) * 1.05);
  EXPECT_NEAR(r.doubly_robust.mean, 0.6, 0.03);
}

TEST(Replay, AStaticTablePicksTheBestChannelOfEachManufacturer) {
  const auto log = make_log(20000, 0.5, 0.5, 0.5);
  const std::span<const LoggedDecision> all(log);
  const ReplayResult r = replay(all.subspan(10000), static_best(all.first(10000)));
  EXPECT_NEAR(r.doubly_robust.mean, (0.8 + 0.6) / 2, 0.03);
}

TEST(Replay, NothingLoggedIsNothingKnown) {
  const ReplayResult r = replay({}, as_believed());
  EXPECT_EQ(r.decisions, 0u);
  EXPECT_EQ(r.effective, 0);
  const auto log = make_log(10, 1, 0.5, 0.5);  // `a` always
  const ReplayResult never = replay(log, in_order({"b"}));
  EXPECT_EQ(never.effective, 0);
  EXPECT_EQ(never.inverse_propensity.interval.high, 1);
}

// The model alone would give a mean with an interval of a few tenths of a point.
TEST(Replay, APolicyThatTheLogHardlyEverAgreesWithGetsNoEstimate) {
  const ReplayResult few = replay(make_log(2000, 0.995, 0.55, 0.6), in_order({"b"}));
  EXPECT_LT(few.effective, ReplayResult::kLeastEffective);
  EXPECT_FALSE(few.is_estimate());
  EXPECT_EQ(few.doubly_robust.interval.low, 0);
  EXPECT_EQ(few.doubly_robust.interval.high, 1);
  EXPECT_TRUE(replay(make_log(2000, 0.9, 0.55, 0.6), in_order({"b"})).is_estimate());
}

// Half of what `uniform` would do was never tried, so by propensity it would be exactly as good as what was: 90 % for
// a fleet in which a random channel delivers half of that.
TEST(Replay, APolicyWhoseChoicesTheLogNeverTriedGetsNoEstimate) {
  const ReplayResult r = replay(make_log(2000, 1, 0.55, 0.6), uniform());
  EXPECT_GT(r.effective, ReplayResult::kLeastEffective);
  EXPECT_FALSE(r.covered);
  EXPECT_FALSE(r.is_estimate());
  EXPECT_EQ(r.inverse_propensity.interval.low, 0);
  EXPECT_EQ(r.inverse_propensity.interval.high, 1);
  EXPECT_TRUE(replay(make_log(2000, 0.97, 0.55, 0.6), uniform()).is_estimate()) << "tried now and then";
}

}  // namespace
}  // namespace godwit::routing
