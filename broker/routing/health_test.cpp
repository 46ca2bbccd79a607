#include "broker/routing/health.hpp"

#include <gtest/gtest.h>

#include "broker/base/random.hpp"
#include "broker/routing/coverage.hpp"

namespace godwit::routing {
namespace {

constexpr double kPatience_s = 5;

struct Cells : ::testing::Test {
  Profiles profiles;
  Profile xiaomi = profiles.at(profiles.number({"xiaomi", "android", "13", "r0", ""}));
  Profile vivo = profiles.at(profiles.number({"vivo", "android", "13", "r1", ""}));
  Health health;
  double t = 1e6;
  Random random{5};
  DeviceNo device = 0;  // always another one

  void SetUp() override { health.set_shape(2, profiles); }
  void judge(const Profile& p, bool success, double expected, ChannelNo channel = 0) {
    t += 2.88;  // 30 000 a day
    health.judge(channel, p, {++device, expected, t}, success, kPatience_s, t);
  }
  void judge_now(bool success) {
    t += 0.001;
    health.judge(0, xiaomi, {++device, 0.88, t}, success, kPatience_s, t);
  }
  void calm(int n) {
    for (int i = 0; i < n; ++i) judge(i % 2 == 0 ? xiaomi : vivo, random.uniform() < 0.85, 0.85);
  }
};

TEST_F(Cells, TenStraightFailuresOfAGoodChannelTripAt30000ADay) {
  calm(60000);
  while (health.factor(0, xiaomi) < 1) judge(vivo, true, 0.85);  // in case the noise has just tripped something
  for (int i = 0; i < 6; ++i) judge(i % 2 == 0 ? xiaomi : vivo, true, 0.85);
  int failures = 0;
  while (health.factor(0, xiaomi) >= 1 && failures < 50) judge(failures++ % 2 == 0 ? xiaomi : vivo, false, 0.85);
  EXPECT_LE(failures, 10);
  EXPECT_LT(health.factor(0, vivo), 0.6);
  EXPECT_EQ(health.factor(1, xiaomi), 1);
}

TEST_F(Cells, OneManufacturersOutageTripsNoOther) {
  calm(20000);
  for (int i = 0; i < 60; ++i) judge(i % 2 == 0 ? xiaomi : vivo, i % 2 == 0 ? false : random.uniform() < 0.85, 0.85);
  EXPECT_LT(health.factor(0, xiaomi), 0.6);
  EXPECT_EQ(health.factor(0, vivo), 1);
}

TEST_F(Cells, CalibratedOutcomesTripNoMoreThanBudgeted) {
  calm(1'000'000);  // 33 days with 8 cells in use: one false trip per cell and week would be 38
  EXPECT_LE(health.trips(), 38u);
}

TEST_F(Cells, APhoneThatNeverAnswersAccusesNobody) {
  calm(20000);
  for (int i = 0; i < 200; ++i) t += 10, health.judge(0, xiaomi, {77, 0.95, t}, false, kPatience_s, t);
  EXPECT_EQ(health.factor(0, xiaomi), 1);
}

TEST_F(Cells, TheSilencesOfABurstThatComeAllAtOnceAreNoOutage) {
  calm(20000);
  for (int burst = 0; burst < 50; ++burst) {
    for (int i = 0; i < 90; ++i) judge_now(true);
    t += kPatience_s;
    for (int i = 0; i < 10; ++i) judge_now(false);
    ASSERT_EQ(health.factor(0, xiaomi), 1);
    t += 600;
  }
}

TEST_F(Cells, AnOutageOfEverybodyIsNoticedByEverybodyThoughOnePartIsNoticedFirst) {
  calm(20000);
  for (int i = 0; i < 7; ++i) judge(xiaomi, false, 0.85);  // the first to send by chance
  int failures = 0;
  while (health.factor(0, vivo) >= 1 && failures < 50) judge(failures++ % 3 == 0 ? xiaomi : vivo, false, 0.85);
  EXPECT_LE(failures, 12);
}

TEST_F(Cells, AChannelThatIsExpectedToBeBadIsHealthy) {
  for (int i = 0; i < 50000; ++i) judge(xiaomi, random.uniform() < 0.3, 0.3);
  EXPECT_LE(health.trips(), 10u);
}

TEST_F(Cells, RecoveryIsNoticed) {
  calm(20000);
  for (int i = 0; i < 40; ++i) judge(xiaomi, false, 0.85);
  ASSERT_LT(health.factor(0, xiaomi), 0.3);
  int needed = 0;
  while (health.factor(0, xiaomi) < 1 && needed < 100) judge(xiaomi, random.uniform() < 0.85, 0.85), ++needed;
  EXPECT_LE(needed, 25);
}

TEST_F(Cells, HalfTheDeliveriesGiveHalfTheHealth) {
  calm(20000);
  for (int i = 0; i < 300; ++i) judge(i % 2 == 0 ? xiaomi : vivo, random.uniform() < 0.85 * 0.4, 0.85);
  EXPECT_NEAR(health.factor(0, xiaomi), 0.4, 0.12);
}

TEST_F(Cells, WhatWasSuspectedBeforeAnOutageDoesNotHideThatNothingArrives) {
  calm(20000);
  while (health.factor(0, xiaomi) < 1) judge(vivo, true, 0.85);
  for (int i = 0; i < 40; ++i) judge(i % 4 < 2 ? xiaomi : vivo, i % 5 < 3, 0.85);  // a little worse than expected
  ASSERT_EQ(health.factor(0, xiaomi), 1);
  int failures = 0;
  while (health.factor(0, vivo) >= 1 && failures < 50) judge(failures++ % 2 == 0 ? xiaomi : vivo, false, 0.85);
  EXPECT_LE(failures, 10);
  EXPECT_LT(health.factor(0, vivo), 0.3);
}

TEST_F(Cells, AFurtherFallIsBelievedAtOnce) {
  calm(20000);
  for (int i = 0; i < 600; ++i) judge(i % 2 == 0 ? xiaomi : vivo, random.uniform() < 0.85 * 0.5, 0.85);
  ASSERT_GT(health.factor(0, xiaomi), 0.3);
  for (int i = 0; i < 14; ++i) judge(i % 2 == 0 ? xiaomi : vivo, false, 0.85);
  EXPECT_LT(health.factor(0, xiaomi), 0.2);
}

TEST_F(Cells, AfterALongOutageAFewReceiptsBringTheTrafficBack) {
  calm(20000);
  for (int i = 0; i < 100; ++i) judge(i % 2 == 0 ? xiaomi : vivo, false, 0.85);
  ASSERT_LT(health.factor(0, xiaomi), 0.1);
  for (int i = 0; i < 4; ++i) judge(i % 2 == 0 ? xiaomi : vivo, true, 0.85);
  EXPECT_GT(health.factor(0, xiaomi), 0.7);
  for (int i = 0; i < 4; ++i) judge(i % 2 == 0 ? xiaomi : vivo, true, 0.85);
  EXPECT_EQ(health.factor(0, xiaomi), 1);
}

TEST_F(Cells, AnOutageThatLeavesHalfTheDeliveriesBehindIsNotOver) {
  calm(20000);
  for (int i = 0; i < 100; ++i) judge(i % 2 == 0 ? xiaomi : vivo, false, 0.85);
  const uint64_t before = health.trips();
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    judge(i % 2 == 0 ? xiaomi : vivo, random.uniform() < 0.85 * 0.5, 0.85);
    if (i >= 100) sum += health.factor(0, xiaomi) / 900;
  }
  EXPECT_NEAR(sum, 0.5, 0.1);
  EXPECT_LE(health.trips(), before + 1);
}

TEST_F(Cells, ARunOfFailuresDoesNotMakeTheUsualHalfLookLikeARecovery) {
  calm(20000);
  for (int i = 0; i < 600; ++i) judge(i % 2 == 0 ? xiaomi : vivo, random.uniform() < 0.85 * 0.5, 0.85);
  const uint64_t before = health.trips();
  for (int i = 0; i < 12; ++i) judge(i % 2 == 0 ? xiaomi : vivo, false, 0.85);
  ASSERT_LT(health.factor(0, xiaomi), 0.25);
  for (int i = 0; i < 4; ++i) judge(i % 2 == 0 ? xiaomi : vivo, true, 0.85);
  EXPECT_LT(health.factor(0, xiaomi), 0.7);
  EXPECT_EQ(health.trips(), before);
}

struct Probes : Cells {
  void SetUp() override {
    Cells::SetUp();
    calm(20000);
    for (int i = 0; i < 40; ++i) judge(xiaomi, false, 0.85);
    t += 100;
  }
  void pass_over(int n) {
    for (int i = 0; i < n; ++i) health.passed_over(0, xiaomi);
  }
  bool wanted(double loss, double chance) const { return health.wants_probe(0, xiaomi, loss, chance, t); }
  void send(double chance) { health.first_sent(0, xiaomi, chance, t); }
};

TEST_F(Probes, AreAskedForBySickCellsButNotWhereMessagesAreRare) {
  EXPECT_FALSE(wanted(0.2, 0.8));  // nobody was passed over: there is no traffic to judge
  pass_over(8);
  EXPECT_TRUE(wanted(0.2, 0.8));
  send(0.8);
  EXPECT_FALSE(wanted(0.2, 0.8));
}

TEST_F(Probes, AreMadeWithPhonesThatWouldHearOfAHealthyChannelAndLoseLittle) {
  send(0.8);
  pass_over(8);
  t += 20;
  EXPECT_TRUE(wanted(0.2, 0.8));
  EXPECT_FALSE(wanted(0.6, 0.8));
  EXPECT_FALSE(wanted(0.01, 0.02));  // a dead token costs nothing and tells nothing
  t += 50;
  EXPECT_TRUE(wanted(0.6, 0.8));  // nobody better came
}

TEST_F(Probes, ArePutOffByASendOnlyAsFarAsItCanTellSomething) {
  send(0.02);
  pass_over(8);
  t += 1;
  EXPECT_TRUE(wanted(0.2, 0.8));
}

TEST_F(Probes, FollowQuicklyWhenOneArrived) {
  judge(xiaomi, true, 0.85);
  send(0.8);
  pass_over(2);
  EXPECT_FALSE(wanted(0.6, 0.8));
  t += 4;
  EXPECT_TRUE(wanted(0.6, 0.8));
}

TEST_F(Cells, SurvivesSaveAndRestore) {
  calm(20000);
  for (int i = 0; i < 40; ++i) judge(xiaomi, false, 0.85);
  std::string bytes;
  ByteWriter out(bytes);
  health.save(out, 2);
  Health other;
  other.set_shape(2, profiles);
  ByteReader in(bytes);
  other.restore(in, {0, 1}, profiles);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(other.factor(0, xiaomi), health.factor(0, xiaomi));
  EXPECT_EQ(other.alarms(profiles).size(), health.alarms(profiles).size());
}

TEST(Coverage, LostReceiptsAreToldByTheDevicesOwnWord) {
  Coverage coverage;
  for (int i = 0; i < 500; ++i) coverage.receipt(0.95, i);
  EXPECT_NEAR(coverage.share(0.95, 500), 1.0, 0.05);
  EXPECT_EQ(coverage.flagged_ratio(0.95, 500), 1);
  for (int i = 0; i < 30; ++i) coverage.seen(600 + i);
  EXPECT_TRUE(coverage.detect(630));
  EXPECT_TRUE(coverage.blackout());
  for (int i = 630; i < 1200; i += 3) coverage.seen(i);
  EXPECT_LT(coverage.share(0.95, 1200), 0.1);
  for (int i = 0; i < 500; ++i) coverage.receipt(0.95, 1800 + i);
  EXPECT_FALSE(coverage.blackout());
}

TEST(Coverage, ARealOutageIsNoBlackout) {
  Coverage coverage;
  for (int i = 0; i < 20; ++i) {
    coverage.not_seen(i);
    if (i % 5 == 0) coverage.seen(i);
    EXPECT_FALSE(coverage.detect(i));
  }
}

}  // namespace
}  // namespace godwit::routing
