#include "quotas.hpp"

#include <gtest/gtest.h>

#include "pacer.hpp"

namespace mipush {
namespace {

constexpr uint64_t kMorning = 1'795'219'200'000;  // 2026-11-21T08:00 in China
constexpr uint64_t kHour = 3'600'000;

TEST(Quotas, EachTenthIsToldOnce) {
  Quotas quotas;
  EXPECT_TRUE(quotas.heard("c", {1000, 3}, kMorning));
  EXPECT_FALSE(quotas.heard("c", {1000, 50}, kMorning));
  const auto told = quotas.heard("c", {1000, 150}, kMorning);
  ASSERT_TRUE(told);
  EXPECT_EQ(*told, R"({"class":"c","limit":1000,"remaining":850,"resets_at_ms":1795276800000})");
  EXPECT_FALSE(quotas.heard("c", {1000, 140}, kMorning));  // an answer that was overtaken
}

TEST(Quotas, AUsedUpClassIsOpenAgainAfterMidnightInChina) {
  Quotas quotas;
  EXPECT_TRUE(quotas.used_up("c", std::nullopt, kMorning));
  EXPECT_FALSE(quotas.used_up("c", std::nullopt, kMorning));
  EXPECT_TRUE(quotas.is_used_up("c", kMorning + 15 * kHour));
  EXPECT_FALSE(quotas.is_used_up("other", kMorning));
  EXPECT_FALSE(quotas.is_used_up("c", kMorning + 16 * kHour));
}

TEST(Pacer, LetsASecondsWorthGoThenOneByOne) {
  Pacer pacer(10);
  uint64_t now = 1'000'000'000;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pacer.take(now), 0u);
  const uint64_t wait = pacer.take(now);
  EXPECT_NEAR(static_cast<double>(wait), 1e8, 10);
  EXPECT_EQ(pacer.take(now + wait), 0u);
}

TEST(Pacer, GoesSlowerAfterAComplaintAndRecovers) {
  Pacer pacer(100);
  uint64_t now = 1'000'000'000;
  (void)pacer.take(now);
  pacer.slow_down(now);
  pacer.slow_down(now);
  EXPECT_DOUBLE_EQ(pacer.rate(), 25);
  EXPECT_GT(pacer.take(now), 0u);
  (void)pacer.take(now + 8'000'000'000);
  EXPECT_DOUBLE_EQ(pacer.rate(), 100);
}

}  // namespace
}  // namespace mipush
