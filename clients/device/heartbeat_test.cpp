#include "clients/device/heartbeat.hpp"

#include <gtest/gtest.h>

namespace godwit::device {
namespace {

constexpr int64_t kDay = int64_t{24} * 3600 * 1000;

// On a network, with the first three of the connection behind it.
Heartbeat warmed(const char* network = "wifi:home") {
  Heartbeat h;
  h.set_network(network);
  h.connected();
  for (int i = 0; i < Heartbeat::kFirstOnes; ++i) h.good(0);
  return h;
}

void good(Heartbeat& h, int count, int64_t now = 0) {
  for (int i = 0; i < count; ++i) h.good(now);
}

TEST(Heartbeat, BeginsShortOnAnUnknownNetworkAndStaysThere) {
  Heartbeat h;
  h.connected();
  good(h, 100);
  EXPECT_EQ(h.seconds(), 210u);
}

TEST(Heartbeat, ClimbsAMinuteAfterFiveGoodOnes) {
  Heartbeat h = warmed();
  good(h, 4);
  EXPECT_EQ(h.seconds(), 210u);
  good(h, 1);
  EXPECT_EQ(h.seconds(), 270u);
  good(h, 5);
  EXPECT_EQ(h.seconds(), 330u);
}

TEST(Heartbeat, NeverClimbsAboveTheLongestWithItsSafety) {
  Heartbeat h = warmed();
  good(h, 1000);
  EXPECT_EQ(h.seconds(), 580u);
}

TEST(Heartbeat, TwoBadOnesWhileLearningStepBackAndStay) {
  Heartbeat h = warmed();
  good(h, 15);
  ASSERT_EQ(h.seconds(), 390u);
  h.bad(0);
  EXPECT_EQ(h.seconds(), 390u) << "one may be bad luck";
  h.bad(0);
  EXPECT_EQ(h.seconds(), 310u);
  good(h, 100);
  EXPECT_EQ(h.seconds(), 310u);
}

TEST(Heartbeat, TwoBadOnesWhenStableBeginAgain) {
  Heartbeat h = warmed();
  good(h, 100);
  h.bad(0), h.bad(0);
  EXPECT_EQ(h.seconds(), 210u);
  good(h, 5);
  EXPECT_EQ(h.seconds(), 270u);
}

TEST(Heartbeat, AGoodOneForgivesTheBadOneBefore) {
  Heartbeat h = warmed();
  good(h, 5);
  for (int i = 0; i < 5; ++i) h.bad(0), h.good(0);
  EXPECT_GE(h.seconds(), 270u);
}

TEST(Heartbeat, AfterAWeekItTriesALittleMore) {
  Heartbeat h = warmed();
  good(h, 10);
  h.bad(0), h.bad(0);
  ASSERT_EQ(h.seconds(), 250u);
  h.good(6 * kDay);
  EXPECT_EQ(h.seconds(), 250u);
  h.good(7 * kDay);
  EXPECT_EQ(h.seconds(), 270u);
}

TEST(Heartbeat, EveryConnectionAndTheForegroundBeginShort) {
  Heartbeat h = warmed();
  good(h, 10);
  ASSERT_EQ(h.seconds(), 330u);
  h.set_foreground(true);
  EXPECT_EQ(h.seconds(), 210u);
  h.set_foreground(false);
  h.connected();
  EXPECT_EQ(h.seconds(), 210u);
  good(h, 3);
  EXPECT_EQ(h.seconds(), 330u) << "and go on where the network was";
}

TEST(Heartbeat, NetworksAreLearntApartAndTwentyAreRemembered) {
  Heartbeat h = warmed("a");
  good(h, 5);
  for (int i = 0; i < 19; ++i) h.set_network("n" + std::to_string(i));
  h.set_network("a");
  good(h, 3);
  EXPECT_EQ(h.seconds(), 270u);
  for (int i = 0; i < 20; ++i) h.set_network("m" + std::to_string(i));
  h.set_network("a");
  good(h, 3);
  EXPECT_EQ(h.seconds(), 210u) << "forgotten";
}

}  // namespace
}  // namespace godwit::device
