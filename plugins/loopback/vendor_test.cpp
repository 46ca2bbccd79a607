#include "vendor.hpp"

#include <gtest/gtest.h>

namespace loopback {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

Config config(std::string_view json) {
  auto parsed = parse_config(json);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().where + " " + parsed.error().message);
  return parsed ? *parsed : Config{};
}

int receipts_of_1000(Vendor& vendor, std::string_view extra) {
  int receipts = 0;
  for (int i = 0; i < 1000; ++i) receipts += vendor.decide(extra, OutageMode::none).receipt;
  return receipts;
}

TEST(LoopbackVendor, DeliversEverythingAtOnceByDefault) {
  Vendor vendor(config("{}"), 0);
  EXPECT_TRUE(vendor.is_instant());
  EXPECT_EQ(receipts_of_1000(vendor, {}), 1000);
}

TEST(LoopbackVendor, QualityDependsOnTheManufacturer) {
  Vendor vendor(config(R"({"deliver": 0.9, "deliver_by": {"Xiaomi": 0.3}})"), 0);
  EXPECT_NEAR(receipts_of_1000(vendor, R"({"manufacturer": "Xiaomi"})"), 300, 60);
  EXPECT_NEAR(receipts_of_1000(vendor, R"({"manufacturer": "OPPO"})"), 900, 40);
  EXPECT_NEAR(receipts_of_1000(vendor, "not json"), 900, 40);
}

TEST(LoopbackVendor, TheSameSeedTellsTheSameStory) {
  Vendor one(config(R"({"deliver": 0.5, "seed": 9})"), 0), two(config(R"({"deliver": 0.5, "seed": 9})"), 77);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(one.decide({}, OutageMode::none).receipt, two.decide({}, OutageMode::none).receipt);
}

TEST(LoopbackVendor, AnAcceptedReceiptSaysNothingAboutTheDevice) {
  Vendor vendor(config(R"({"receipt_kind": "accepted", "deliver": 0})"), 0);
  EXPECT_EQ(receipts_of_1000(vendor, {}), 1000);
}

TEST(LoopbackVendor, OutageWindowsBeginAndEnd) {
  Vendor vendor(config(R"({"outage": [{"after_s": 10, "for_s": 5}, {"after_s": 60, "mode": "silent"}]})"), kSecond);
  EXPECT_FALSE(vendor.is_instant());
  EXPECT_EQ(vendor.outage(10 * kSecond), OutageMode::none);
  EXPECT_EQ(vendor.outage(11 * kSecond), OutageMode::error);
  EXPECT_EQ(vendor.outage(16 * kSecond), OutageMode::none);
  EXPECT_EQ(vendor.outage(1000 * kSecond), OutageMode::silent);
  EXPECT_EQ(vendor.decide({}, OutageMode::error).kind, Fate::refused);
  EXPECT_FALSE(vendor.decide({}, OutageMode::silent).receipt);
}

TEST(LoopbackVendor, AnOutageConfiguredLaterCountsFromThen) {
  Vendor vendor(config("{}"), 0);
  vendor.reconfigure(config(R"({"outage": [{"after_s": 0, "mode": "hang"}]})"), 500 * kSecond);
  EXPECT_EQ(vendor.outage(500 * kSecond), OutageMode::hang);
}

TEST(LoopbackVendor, LatencyHasTheMedianThatWasAskedFor) {
  Vendor vendor(config(R"({"latency": {"median_ms": 40, "sigma": 0.5}})"), 0);
  int below = 0;
  for (int i = 0; i < 1000; ++i) below += vendor.latency_ns() < 40'000'000;
  EXPECT_NEAR(below, 500, 60);
}

TEST(LoopbackConfig, AWrongTypeIsNamedByItsPointer) {
  auto parsed = parse_config(R"({"accept": "always"})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().where, "/accept");
}

}  // namespace
}  // namespace loopback
