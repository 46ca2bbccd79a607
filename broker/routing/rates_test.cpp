#include "broker/routing/rates.hpp"

#include <gtest/gtest.h>

#include "broker/routing/interval.hpp"

namespace godwit::routing {
namespace {

constexpr WallMs kNow = 1'790'000'000'000;

TEST(Interval, JeffreysAgreesWithPublishedValues) {
  // Brown, Cai, DasGupta (2001): Beta(x + 1/2, n - x + 1/2), n = 10, x = 3.
  const Interval i = jeffreys_95(3, 10);
  EXPECT_NEAR(i.low, 0.0927, 5e-4);
  EXPECT_NEAR(i.high, 0.6058, 5e-4);
}

TEST(Interval, EndsAreOpenOnlyToOneSide) {
  EXPECT_EQ(jeffreys_95(0, 20).low, 0);
  EXPECT_LT(jeffreys_95(0, 20).high, 0.2);
  EXPECT_EQ(jeffreys_95(20, 20).high, 1);
  EXPECT_EQ(jeffreys_95(0, 0).low, 0);
  EXPECT_EQ(jeffreys_95(0, 0).high, 1);
}

TEST(Interval, HugeSamplesStillAnswer) {
  const Interval i = jeffreys_95(4e11, 1e12);
  EXPECT_NEAR(i.low, 0.4, 1e-3);
  EXPECT_NEAR(i.high, 0.4, 1e-3);
}

struct Book : ::testing::Test {
  RateBook book;
  Profiles profiles;
  Profile xiaomi = profiles.at(profiles.number({"Xiaomi", "android", "13.0", "cn", "5.2.0"}));
  Profile vivo = profiles.at(profiles.number({"vivo", "android", "12", "cn", "5.2.0"}));

  void message(const Profile& p, WallMs at, bool delivered, ChannelNo channel = 0) {
    book.count(channel, p, at, RateEvent::sent);
    book.count(channel, p, at, RateEvent::settled);
    if (delivered) book.count(channel, p, at, RateEvent::device, 2.0);
  }
  std::vector<RateRow> ask(RateQuery q) {
    q.now_ms = kNow;
    if (q.from_ms == 0) q.from_ms = kNow - 86'400'000;
    return book.query(q, profiles, {ReceiptKind::device, ReceiptKind::vendor});
  }
};

TEST_F(Book, CountsByChannelAndByManufacturer) {
  for (int i = 0; i < 10; ++i) message(xiaomi, kNow - 1000, i < 9);
  for (int i = 0; i < 10; ++i) message(vivo, kNow - 1000, i < 2);
  const auto all = ask({});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].sent, 20);
  EXPECT_EQ(all[0].delivered, 11);
  EXPECT_DOUBLE_EQ(all[0].rate, 0.55);
  EXPECT_LT(all[0].low, 0.55);
  EXPECT_GT(all[0].high, 0.55);
  EXPECT_NEAR(all[0].median_delay_s, 2, 1);
  const auto by = ask({.by_manufacturer = true});
  ASSERT_EQ(by.size(), 2u);
  EXPECT_EQ(by[0].manufacturer, "xiaomi");
  EXPECT_DOUBLE_EQ(by[0].rate, 0.9);
  EXPECT_DOUBLE_EQ(by[1].rate, 0.2);
}

TEST_F(Book, KindsOfReceiptsAreNeverAddedUp) {
  for (int i = 0; i < 4; ++i) message(xiaomi, kNow - 1000, true, 1);  // a channel of vendor receipts, app acks too
  book.count(1, xiaomi, kNow - 1000, RateEvent::vendor, 1);
  const auto rows = ask({});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].kind, ReceiptKind::device);
  EXPECT_EQ(rows[0].delivered, 4);
  EXPECT_EQ(rows[1].kind, ReceiptKind::vendor);
  EXPECT_EQ(rows[1].delivered, 1);
}

TEST_F(Book, AGroupWithoutReceiptsHasTheKindThatItsChannelUses) {
  for (int i = 0; i < 4; ++i) message(xiaomi, kNow - 1000, true, 1);  // said to be of vendor receipts
  for (int i = 0; i < 4; ++i) message(vivo, kNow - 1000, false, 1);
  for (const RateRow& row : ask({.by_manufacturer = true}))
    EXPECT_EQ(row.kind, ReceiptKind::device) << row.manufacturer;
  for (const RateRow& row : ask({.by_manufacturer = true})) EXPECT_EQ(row.settled, 4);
}

TEST_F(Book, AFastChannelsMedianIsFast) {
  for (int i = 0; i < 9; ++i) {
    book.count(0, xiaomi, kNow - 1000, RateEvent::sent);
    book.count(0, xiaomi, kNow - 1000, RateEvent::settled);
    book.count(0, xiaomi, kNow - 1000, RateEvent::device, 0.02);
  }
  EXPECT_NEAR(ask({})[0].median_delay_s, 0.02, 0.01) << "said 0.35 s of whatever took less than half a second";
}

TEST_F(Book, FiguresOfAVendorAreRatesOfItsKindAndMixWithNoOther) {
  for (int i = 0; i < 4; ++i) message(xiaomi, kNow - 1000, true, 1);
  book.add_figures(1, xiaomi, kNow - 1000, {.of = 100, .delivered = 60, .opened = 5});
  book.add_figures(1, xiaomi, kNow - 1000, {.of = 0, .delivered = 20, .opened = 0});  // later ones
  const auto rows = ask({});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].kind, ReceiptKind::device);
  EXPECT_EQ(rows[0].rate, 1);
  EXPECT_EQ(rows[1].kind, ReceiptKind::vendor);
  EXPECT_DOUBLE_EQ(rows[1].rate, 0.8);
}

TEST_F(Book, TheWindowEndsWhatIsCounted) {
  message(xiaomi, kNow - 30 * 60'000, true);
  message(xiaomi, kNow - 5 * 60'000, false);
  EXPECT_EQ(ask({.from_ms = kNow - 10 * 60'000})[0].sent, 1);
  EXPECT_EQ(ask({.from_ms = kNow - 60 * 60'000})[0].sent, 2);
}

TEST_F(Book, AWeekIsForgottenAndNothingGrows) {
  message(xiaomi, kNow - 8 * 86'400'000LL, true);
  message(xiaomi, kNow, true);
  EXPECT_EQ(ask({.from_ms = kNow - 10 * 86'400'000LL})[0].sent, 1);
}

TEST_F(Book, InventedVersionsEndUpAsOther) {
  for (int i = 0; i < 6000; ++i) {
    const std::string version = "v" + std::to_string(i);
    message(profiles.at(profiles.number({"m" + std::to_string(i % 300), "android", "13", "cn", version})), kNow, true);
  }
  const auto rows = ask({.by_manufacturer = true, .by_app_version = true});
  EXPECT_LE(rows.size(), RateBook::kMaxCells + 1);
  double sent = 0;
  for (const RateRow& row : rows) sent += row.sent;
  EXPECT_EQ(sent, 6000);
}

}  // namespace
}  // namespace godwit::routing
