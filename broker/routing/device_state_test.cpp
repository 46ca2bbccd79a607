#include "broker/routing/device_state.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace godwit::routing {
namespace {

TEST(DeviceState, IsOneCacheLine) {
  EXPECT_EQ(sizeof(DeviceState), 64u);
}

TEST(DeviceState, FindsTheSlotOfAChannelAmongEight) {
  DeviceState d{};
  for (const ChannelNo c : {31, 0, 7, 1}) d.borrow(c);
  EXPECT_EQ(d.slot(31), 0u);
  EXPECT_EQ(d.slot(0), 1u);
  EXPECT_EQ(d.slot(1), 3u);
  EXPECT_EQ(d.slot(2), kNoSlot);
}

TEST(DeviceState, NinthChannelTakesTheSlotOfTheLeastKnownWithoutToken) {
  DeviceState d{};
  d.tokens = 0b1111'1100;  // channels 0 and 1 have lost their tokens
  for (ChannelNo c = 0; c < 8; ++c) d.borrow(c);
  d.add_success(d.slot(0), 3);
  d.add_failure(d.slot(1), 1);
  EXPECT_EQ(d.borrow(9), 1u);
  EXPECT_EQ(d.slot(1), kNoSlot);
  EXPECT_EQ(d.failure[1], 0);
  EXPECT_NE(d.slot(0), kNoSlot);
}

TEST(DeviceState, EightNeededChannelsLeaveNoSlotForANinth) {
  DeviceState d{};
  d.tokens = 0x1ff;
  for (ChannelNo c = 0; c < 8; ++c) d.borrow(c);
  EXPECT_EQ(d.borrow(8), kNoSlot);
}

TEST(DeviceState, TakingBackNeverGoesBelowZeroAndSaturatesAbove) {
  DeviceState d{};
  d.add_failure(0, 0.25f);
  d.add_failure(0, -1);
  EXPECT_EQ(d.failure[0], 0);
  for (int i = 0; i < 1000; ++i) d.add_success(0, 1);
  EXPECT_EQ(d.success[0], 65535);
}

TEST(DeviceState, TakingBackIsExact) {
  DeviceState d{};
  d.add_failure(2, 1);
  const float weight = 37.0f / 256;
  d.add_failure(2, weight);
  d.add_failure(2, -weight);
  EXPECT_EQ(d.failure[2], 256);
}

TEST(DeviceState, ReadingFadesWithoutWriting) {
  DeviceState d{};
  d.add_success(0, 4);
  EXPECT_FLOAT_EQ(d.fade(14400, 14400), 0.5f);
  EXPECT_EQ(d.success[0], 4 * 256);
}

TEST(DeviceState, FrequentDecayDoesNotKeepSmallCountersForEver) {
  DeviceState d{};
  d.add_failure(0, 0.1f);
  for (uint32_t minute = 0; minute < 60 * 24 * 120; minute += 61) d.decay(minute, 14400, 7);
  EXPECT_EQ(d.failure[0], 0);
}

TEST(DeviceState, DecayInManyStepsAgreesWithOneStepOnAverage) {
  double many = 0;
  for (uint32_t salt = 0; salt < 200; ++salt) {
    DeviceState d{};
    d.add_success(0, 10);
    for (uint32_t minute = 0; minute <= 14400; minute += 120) d.decay(minute, 14400, salt);
    many += d.success[0] / 256.0 / 200;
  }
  EXPECT_NEAR(many, 5, 0.1);
}

TEST(DeviceState, ASignOfLifeEndsEverySilence) {
  DeviceState d{};
  for (int i = 0; i < 3; ++i) d.unheard(1, 1.2);
  d.unheard(7, 0.5);
  EXPECT_DOUBLE_EQ(d.silence_nats(), 2.5 + 0.5);
  d.heard(5);
  EXPECT_EQ(d.silence_nats(), 0);
  EXPECT_TRUE(d.ever_alive());
}

TEST(DeviceTable, RecordsStayWhereTheyAre) {
  DeviceTable table;
  DeviceState* first = &table.at(3);
  first->tokens = 5;
  table.at(10'000'000).tokens = 6;
  EXPECT_EQ(table.find(3), first);
  EXPECT_EQ(table.find(5'000'000), nullptr);
  size_t seen = 0;
  table.for_each([&seen](DeviceNo, const DeviceState&) { ++seen; });
  EXPECT_EQ(seen, 2u);
}

}  // namespace
}  // namespace godwit::routing
