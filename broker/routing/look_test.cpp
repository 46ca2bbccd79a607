// What the latest sends say while they wait, and that nothing is counted twice.
#include <gtest/gtest.h>

#include <deque>

#include "broker/base/random.hpp"
#include "broker/routing/health.hpp"

namespace godwit::routing {
namespace {

constexpr double kRate = 0.85;

// A channel on which a message is sent every `gap_s`, and looked at twice a second.
struct Sends : ::testing::Test {
  Profiles profiles;
  Profile xiaomi = profiles.at(profiles.number({"xiaomi", "android", "13", "r0", ""}));
  Profile vivo = profiles.at(profiles.number({"vivo", "android", "13", "r1", ""}));
  Health health;
  LogHistogram delays{2, 0.8, 1000};
  double patience_s = delays.quantile_s(0.97);
  double gap_s = 1, batch_s = 0;  // receipts come when the clock passes a multiple of batch_s
  double t = 1e6, next_send = 1e6;
  Random random{5};
  struct Waiting {
    Health::Sent sent;
    Profile profile;
    double arrives;
  };
  std::deque<Waiting> waiting;
  bool everybody = true;  // or one kind of phone
  DeviceNo device = 0;    // always another one
  size_t judged = 0;

  void SetUp() override { health.set_shape(1, profiles); }
  double delay() {  // of the law that `delays` knows
    return delays.quantile_s(random.uniform() * 0.999 + 0.0005);
  }
  void settle(size_t i, bool arrived) {
    const Waiting w = waiting[i];
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
    health.judge(0, w.profile, w.sent, arrived, patience_s, t);
    ++judged;
  }
  // Half a second of a channel that delivers `rate` of its messages.
  void step(double rate) {
    t += 0.5;
    for (size_t i = waiting.size(); i-- > 0;) {
      if (waiting[i].arrives <= t) {
        settle(i, true);
      } else if (waiting[i].sent.t + patience_s <= t) {
        settle(i, false);
      }
    }
    for (; next_send <= t; next_send += gap_s) {
      const Profile& profile = !everybody || device % 2 == 0 ? xiaomi : vivo;
      Waiting w{{++device, kRate * 0.97, next_send}, profile, 1e18};
      if (random.uniform() < rate) {
        w.arrives = next_send + delay();
        if (batch_s > 0) w.arrives = std::ceil(next_send / batch_s) * batch_s;
      }
      health.sent(0, profile, w.sent, patience_s);
      waiting.push_back(w);
    }
    health.look(0, delays, patience_s, t);
  }
  void run(double seconds, double rate) {
    for (const double end = t + seconds; t < end;) step(rate);
  }
};

TEST_F(Sends, AnOutageIsNoticedBeforeItsFirstSilenceIsComplete) {
  run(3000, kRate);
  while (health.any_alarm(0)) step(kRate);
  const double began = t;
  gap_s = 0.3;
  for (Waiting& w : waiting) w.arrives = std::min(w.arrives, t + 0.4);
  while (health.factor(0, vivo) == 1 && t < began + 60) step(0);
  EXPECT_LT(t, began + patience_s);
  EXPECT_LT(health.factor(0, xiaomi), 0.3);
}

TEST_F(Sends, AreNoMoreOftenAFalseAlarmThanTheBudgetAllows) {
  run(86400, kRate);  // 8 cells in use: one false trip per cell and week, of each of three tests, would be 3
  EXPECT_LE(health.trips(), 3u);
}

TEST_F(Sends, ReceiptsThatComeInBatchesAreNoOutage) {
  batch_s = 10;
  gap_s = 0.5;
  delays = LogHistogram(0.1, 0.1, 1e-6);
  for (int i = 1; i <= 200; ++i) delays.add(i * 0.05, 1);
  patience_s = delays.quantile_s(0.97);
  run(3000, kRate);
  EXPECT_LE(health.trips(), 3u);
}

// However early a silence was weighed, in the end it counts once, and what arrives after all counts as that.
TEST_F(Sends, WhatASilenceSaidEarlyIsReplacedByWhatItSaysInTheEnd) {
  run(3000, kRate);
  while (health.any_alarm(0)) step(kRate);
  while (!waiting.empty()) settle(0, true);
  gap_s = 0.3;
  everybody = false;
  while (!health.any_alarm(0)) step(0);
  ASSERT_GT(waiting.size(), 5u);
  const size_t arrived = waiting.size() / 2;
  const double since = t;
  const HealthCell& cell = *health.alarms(profiles).at(0).cell;
  const double expected_before = cell.expected.read(t, Health::kRemembered_s);
  const double successes_before = cell.successes.read(t, Health::kRemembered_s);
  double left = 0;
  for (const Waiting& w : waiting) {
    const double share = delays.share_below(LogHistogram::position(t - w.sent.t)) /
                         delays.share_below(LogHistogram::position(patience_s));
    left += w.sent.expected * (1 - std::min(1.0, share));
  }
  for (size_t i = 0; !waiting.empty(); ++i) settle(0, i % 2 == 0 && i < 2 * arrived);
  ASSERT_EQ(t, since);
  ASSERT_TRUE(cell.alarmed);
  EXPECT_NEAR(cell.expected.read(t, Health::kRemembered_s), expected_before + left, 0.05);
  EXPECT_NEAR(cell.successes.read(t, Health::kRemembered_s), successes_before + static_cast<double>(arrived), 1e-9);
}

TEST_F(Sends, WhatIsWithdrawnSaysNothing) {
  run(3000, kRate);
  while (health.any_alarm(0)) step(kRate);
  for (const Waiting& w : waiting) health.withdraw(0, w.profile, w.sent, false, t);
  waiting.clear();
  gap_s = 0.3;
  for (int i = 0; i < 100; ++i) {
    step(0);
    for (const Waiting& w : waiting) health.withdraw(0, w.profile, w.sent, false, t);
    waiting.clear();
    ASSERT_FALSE(health.any_alarm(0));
  }
}

TEST_F(Sends, ThatNobodySettlesAccuseNobodyForLong) {
  run(3000, kRate);
  while (health.any_alarm(0)) step(kRate);
  const uint64_t before = health.trips();
  for (int i = 0; i < 3; ++i) health.sent(0, xiaomi, {++device, 0.8, t}, patience_s);
  waiting.clear();
  next_send = t + 1e6;
  for (int i = 0; i < 500; ++i) health.look(0, delays, patience_s, t += 0.5);
  EXPECT_EQ(health.trips(), before);
}

TEST_F(Sends, AnOutageThatAPartSawFirstIsSoonEverybodys) {
  run(3000, kRate);
  while (health.any_alarm(0)) step(kRate);
  while (!waiting.empty()) settle(0, true);
  t += 100;
  for (int i = 0; i < 9; ++i) health.sent(0, xiaomi, {++device, 0.8, t}, patience_s);
  for (int i = 0; i < 12; ++i) health.look(0, delays, patience_s, t += 0.5);
  ASSERT_LT(health.factor(0, xiaomi), 1);
  ASSERT_EQ(health.factor(0, vivo), 1);
  for (int i = 0; i < 5; ++i) health.sent(0, vivo, {++device, 0.8, t}, patience_s);
  for (int i = 0; i < 16; ++i) health.look(0, delays, patience_s, t += 0.5);
  EXPECT_LT(health.factor(0, vivo), 0.5);
}

TEST(RecentSends, CoverTheSoftTimeoutEvenlyWhereMessagesAreMany) {
  RecentSends recent;
  size_t kept = 0;
  for (int i = 0; i < 100'000; ++i) {  // a thousand a second
    RecentSend send;
    send.device = static_cast<DeviceNo>(i);
    send.t = i * 1e-3;
    kept += recent.add(send, 10);
  }
  EXPECT_EQ(recent.size(), RecentSends::kMost);
  EXPECT_GE(recent.newest(0).t, 99.8);
  EXPECT_LE(recent.newest(RecentSends::kMost - 1).t, 91);
  EXPECT_LT(kept, 1500u);
}

TEST(RecentSends, KeepTheLatestWhereMessagesAreFewAndSettleEachOnce) {
  RecentSends recent;
  for (int i = 0; i < 300; ++i) {
    RecentSend send;
    send.device = static_cast<DeviceNo>(i % 7);
    send.t = i;
    EXPECT_TRUE(recent.add(send, 10));
  }
  recent.newest(3).said = 0.5f, recent.newest(3).said_at = 7;
  EXPECT_EQ(recent.settle(0, 296, RecentSend::silent).at, -1);  // another device
  EXPECT_EQ(recent.settle(296 % 7, 296, RecentSend::silent).at, 7);
  EXPECT_EQ(recent.settle(296 % 7, 296, RecentSend::arrived).at, -1);
  EXPECT_EQ(recent.newest(3).state, RecentSend::arrived);
  EXPECT_EQ(recent.settle(1 % 7, 1, RecentSend::silent).at, -1);  // forgotten long ago
}

TEST_F(Sends, SurviveSaveAndRestore) {
  run(3000, kRate);
  std::string bytes, again;
  ByteWriter out(bytes);
  health.save(out, 1);
  Health other;
  other.set_shape(1, profiles);
  ByteReader in(bytes);
  other.restore(in, {0}, profiles);
  EXPECT_FALSE(in.failed());
  EXPECT_TRUE(in.at_end());
  ByteWriter out2(again);
  other.save(out2, 1);
  EXPECT_EQ(bytes, again);
}

}  // namespace
}  // namespace godwit::routing
