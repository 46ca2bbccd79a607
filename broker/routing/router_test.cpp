#include "broker/routing/router.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "broker/base/random.hpp"

namespace godwit::routing {
namespace {

constexpr WallMs kWall = 1'790'000'000'000;
constexpr MonoNs kSecond = kNsPerSecond;

ChannelTraits device_channel(std::string name, double prior = 0.7) {
  ChannelTraits t;
  t.name = std::move(name);
  t.receipts = ReceiptKind::device;
  t.prior = prior;
  return t;
}

// A router with channels 0..n-1, one device and a clock.
struct World {
  explicit World(std::vector<ChannelTraits> channels, Options options = {}) : router(options) {
    for (const ChannelTraits& t : channels) offers.push_back({router.add_channel(t)});
    router.set_device(1, {"Xiaomi", "android", "13", "cn", "5.2"}, ~0u);
  }
  WallMs wall() const { return kWall + now / kNsPerMs; }
  Ask ask(PriorityClass priority = PriorityClass::normal) const {
    Ask a;
    a.device = device;
    a.priority = priority;
    a.offers = offers;
    a.attempts = attempts;
    a.age_s = static_cast<double>(now - start) / kSecond;
    a.left_s = 3600 - a.age_s;
    return a;
  }
  // One message on one channel, delivered or silent.
  AttemptMemo outcome(ChannelNo channel, bool delivered) {
    Decision d;
    d.action = Action::send, d.channel = channel;
    Ask a;
    a.device = device;
    AttemptMemo memo = router.sent(a, d, now, wall());
    router.accepted(memo, now);
    now += kSecond;
    if (delivered) {
      router.receipt(memo, ReceiptKind::device, now, wall());
    } else {
      now += static_cast<MonoNs>(router.soft_timeout_s(channel) * kSecond);
      router.silent(memo, now);
    }
    return memo;
  }
  Router router;
  std::vector<Offer> offers;
  std::vector<AttemptMemo> attempts;
  DeviceNo device = 1;
  MonoNs start = 100 * kSecond, now = start;
};

double rate_of(const World& w, ChannelNo channel) {
  for (const CandidateView& v : w.router.ranking(w.ask(), w.now))
    if (v.channel == channel) return v.rate;
  return -1;
}

TEST(Router, TrafficFollowsWhatTheDeviceReallyReceived) {
  World w({device_channel("a", 0.9), device_channel("b", 0.5)});
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 0);
  for (int i = 0; i < 12; ++i) w.outcome(0, false), w.outcome(1, true);
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 1);
  const auto why = w.router.ranking(w.ask(), w.now);
  EXPECT_EQ(why[0].channel, 1);
  EXPECT_GT(why[0].device_successes, 10);
  EXPECT_LT(why[0].low, why[0].rate);
  EXPECT_GT(why[0].high, why[0].rate);
}

TEST(Router, DevicesOfTheSameKindLearnFromEachOther) {
  World w({device_channel("a", 0.7), device_channel("b", 0.7)});
  for (DeviceNo d = 10; d < 60; ++d) {
    w.router.set_device(d, {"Xiaomi", "android", "13", "cn", "5.2"}, ~0u);
    w.device = d;
    w.outcome(0, false), w.outcome(1, true);
  }
  w.device = 5000;
  w.router.set_device(5000, {"xiaomi", "android", "13.1", "cn", "5.2"}, ~0u);
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 1);
  EXPECT_LT(rate_of(w, 0), 0.4);
  EXPECT_GT(rate_of(w, 1), 0.8);
}

TEST(Router, AppVersionsAreToldApartWhereTheSegmentSaysSo) {
  for (const bool apart : {false, true}) {
    Options options;
    options.segment.app_version = apart;
    World w({device_channel("a", 0.7), device_channel("b", 0.7)}, options);
    for (DeviceNo d = 10; d < 210; ++d) {
      w.router.set_device(d, {"Xiaomi", "android", "13", "cn", d % 2 == 0 ? "5.2" : "6.0"}, ~0u);
      w.device = d;
      w.outcome(0, d % 2 == 0);
    }
    w.device = 5000;
    w.router.set_device(5000, {"Xiaomi", "android", "13", "cn", "6.0"}, ~0u);
    EXPECT_NEAR(rate_of(w, 0), apart ? 0.1 : 0.5, 0.1);
  }
}

TEST(Router, PriorsPerManufacturerDecideWhileNothingIsKnown) {
  ChannelTraits mipush = device_channel("mipush", 0.5);
  mipush.manufacturer_priors = {{"xiaomi", 0.95}};
  World w({mipush, device_channel("third", 0.7)});
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 0);
  w.device = 2;
  w.router.set_device(2, {"vivo", "android", "13", "cn", "5.2"}, ~0u);
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 1);
}

TEST(Router, AcceptedIsNeverASuccess) {
  ChannelTraits apns = device_channel("apns", 0.6);
  apns.receipts = ReceiptKind::accepted;
  World w({apns});
  const double before = rate_of(w, 0);
  for (int i = 0; i < 50; ++i) {
    AttemptMemo memo = w.outcome(0, false);
    w.router.receipt(memo, ReceiptKind::accepted, w.now, w.wall());
  }
  EXPECT_DOUBLE_EQ(rate_of(w, 0), before);
}

TEST(Router, AnAppThatReportsMakesAnAcceptanceOnlyChannelHonest) {
  ChannelTraits apns = device_channel("apns", 0.6);
  apns.receipts = ReceiptKind::accepted;
  World w({apns});
  w.outcome(0, true);  // the app's own receipt
  const double after_one = rate_of(w, 0);
  EXPECT_GT(after_one, 0.6);
  for (int i = 0; i < 5; ++i) w.outcome(0, false);
  EXPECT_LT(rate_of(w, 0), after_one);
}

TEST(Router, VendorReceiptsDoNotCountForAChannelOfDeviceReceipts) {
  World w({device_channel("a")});
  const double before = rate_of(w, 0);
  Decision d;
  d.action = Action::send, d.channel = 0;
  AttemptMemo memo = w.router.sent(w.ask(), d, w.now, w.wall());
  w.router.receipt(memo, ReceiptKind::vendor, w.now, w.wall());
  EXPECT_NEAR(rate_of(w, 0), before, 1e-9);
}

TEST(Router, ALateReceiptTakesTheFailureBack) {
  World w({device_channel("a")});
  AttemptMemo memo = w.outcome(0, false);
  const double failed = rate_of(w, 0);
  w.router.receipt(memo, ReceiptKind::device, w.now, w.wall());
  EXPECT_GT(rate_of(w, 0), failed);
  const auto view = w.router.ranking(w.ask(), w.now)[0];
  EXPECT_EQ(view.device_failures, 0);
  EXPECT_NEAR(view.device_successes, 1, 0.01);
}

TEST(Router, AReceiptThatComesMuchTooLateIsNeutral) {
  World w({device_channel("a")});
  const double before = rate_of(w, 0);
  AttemptMemo memo = w.outcome(0, false);
  w.now += 200 * kSecond;
  w.router.receipt(memo, ReceiptKind::device, w.now, w.wall());
  EXPECT_NEAR(rate_of(w, 0), before, 1e-6);
}

TEST(Router, ReceiptsCountOnce) {
  World w({device_channel("a")});
  AttemptMemo memo = w.outcome(0, true);
  for (int i = 0; i < 5; ++i) w.router.receipt(memo, ReceiptKind::device, w.now, w.wall());
  EXPECT_NEAR(w.router.ranking(w.ask(), w.now)[0].device_successes, 1, 0.01);
  EXPECT_EQ(w.router.rates({.from_ms = kWall - 60'000, .now_ms = w.wall()})[0].delivered, 1);
}

TEST(Router, OldInstallationsLeaveTheNewOneAlone) {
  World w({device_channel("a")});
  AttemptMemo before = w.outcome(0, false);
  w.router.reinstalled(1);
  w.router.receipt(before, ReceiptKind::device, w.now, w.wall());
  const auto view = w.router.ranking(w.ask(), w.now)[0];
  EXPECT_EQ(view.device_successes, 0);
  EXPECT_EQ(view.device_failures, 0);
}

TEST(Router, SleepersCarryTheirReasonAndAreNeverChosen) {
  World w({device_channel("a", 0.95), device_channel("b", 0.5)});
  w.offers[0].sleep = Sleep::offline;
  std::vector<CandidateView> why;
  const Decision d = w.router.first(w.ask(), w.now, &why);
  EXPECT_EQ(d.channel, 1);
  EXPECT_EQ(d.reason, Reason::only_one);
  EXPECT_EQ(why.back().channel, 0);
  EXPECT_EQ(why.back().sleep, Sleep::offline);
  w.offers[1].sleep = Sleep::no_token;
  EXPECT_EQ(w.router.first(w.ask(), w.now).reason, Reason::nothing_awake);
}

TEST(Router, PaidChannelsAreNeverFirstWhileAFreeOneIsAwakeAndNeverWhenForbidden) {
  ChannelTraits sms = device_channel("sms", 0.95);
  sms.costly = true, sms.cost = 0.05, sms.path = 1;
  World w({device_channel("a", 0.3), sms});
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 0);
  w.offers[0].sleep = Sleep::no_token;
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 1);
  Ask ask = w.ask(PriorityClass::critical);
  ask.allow_costly = false;
  std::vector<CandidateView> why;
  EXPECT_EQ(w.router.first(ask, w.now, &why).action, Action::stop);
  EXPECT_EQ(why[0].sleep == Sleep::not_allowed || why[1].sleep == Sleep::not_allowed, true);
}

TEST(Router, CriticalNeverExplores) {
  World w({device_channel("a", 0.7), device_channel("b", 0.69)});
  for (int i = 0; i < 20000; ++i) {
    const Decision d = w.router.first(w.ask(PriorityClass::critical), w.now);
    ASSERT_EQ(d.channel, 0);
    ASSERT_EQ(d.propensity, 1);
  }
}

TEST(Router, NormalExploresABitAndLogsTheProbability) {
  World w({device_channel("a", 0.7), device_channel("b", 0.69)});
  int explored = 0;
  double expected = 0;
  for (int i = 0; i < 20000; ++i) {
    const Decision d = w.router.first(w.ask(), w.now);
    explored += d.reason == Reason::explore;
    expected += d.reason == Reason::explore ? d.propensity : 1 - d.propensity;
  }
  EXPECT_NEAR(explored, expected, 0.1 * expected);
  EXPECT_LE(explored, 20000 * 0.11);
}

TEST(Router, ASickChannelIsProbedOnlyWithPhonesWhoseReceiptsWouldComeBack) {
  World w({device_channel("a", 0.9), device_channel("b", 0.6)});
  const auto message_to = [&w](DeviceNo device, std::optional<uint32_t> reports) {
    w.router.set_device(device, {"Xiaomi", "android", "13", "cn", "5.2"}, ~0u, reports);
    w.device = device;
  };
  DeviceNo device = 10;
  for (int i = 0; i < 300; ++i) message_to(++device, {}), w.outcome(0, true), w.outcome(1, i % 3 != 0);
  for (int i = 0; i < 40; ++i) message_to(++device, {}), w.outcome(0, false);
  ASSERT_FALSE(w.router.alarms().empty());
  int probes[2] = {};
  for (int i = 0; i < 400; ++i) {
    const bool reporting = i % 8 == 0;
    message_to(++device, reporting ? 3u : 2u);
    w.now += 5 * kSecond;
    const Ask ask = w.ask();
    const Decision d = w.router.first(ask, w.now);
    if (d.reason == Reason::probe) ++probes[reporting], w.router.sent(ask, d, w.now, w.wall());
  }
  EXPECT_EQ(probes[false], 0);
  EXPECT_GT(probes[true], 5);
}

TEST(Cascade, GoesOnWhenSilenceMeansLossAndStopsWhenItDoesNotPay) {
  World w({device_channel("a", 0.7), device_channel("b", 0.6)});
  const Decision first = w.router.first(w.ask(PriorityClass::high), w.now);
  ASSERT_EQ(first.action, Action::send);
  EXPECT_GE(first.next_check_s, 0.5);
  w.attempts.push_back(w.router.sent(w.ask(PriorityClass::high), first, w.now, w.wall()));
  w.now += static_cast<MonoNs>(first.next_check_s * kSecond);
  const Decision second = w.router.next(w.ask(PriorityClass::high), w.now);
  EXPECT_EQ(second.action, Action::send);
  EXPECT_NE(second.channel, first.channel);
  w.attempts.push_back(w.router.sent(w.ask(PriorityClass::high), second, w.now, w.wall()));
  w.now += 60 * kSecond;
  EXPECT_EQ(w.router.next(w.ask(PriorityClass::high), w.now).reason, Reason::used_up);
}

TEST(Cascade, AReceiptEndsIt) {
  World w({device_channel("a", 0.7), device_channel("b", 0.6)});
  w.attempts.push_back(w.outcome(0, true));
  EXPECT_EQ(w.router.next(w.ask(), w.now).action, Action::stop);
}

TEST(Cascade, AnExplicitRefusalGoesToTheNextChannelAtOnce) {
  World w({device_channel("a", 0.7), device_channel("b", 0.6)});
  const Decision first = w.router.first(w.ask(PriorityClass::critical), w.now);
  AttemptMemo memo = w.router.sent(w.ask(), first, w.now, w.wall());
  w.router.rejected(memo, false, w.now);
  w.attempts.push_back(memo);
  const Decision second = w.router.next(w.ask(), w.now);
  EXPECT_EQ(second.action, Action::send);
  EXPECT_NEAR(second.reach, 0.96, 0.01);
}

TEST(Cascade, TooDearASecondSendIsNotMade) {
  ChannelTraits sms = device_channel("sms", 0.9);
  sms.costly = true, sms.cost = 5, sms.path = 1;
  World w({device_channel("a", 0.7), sms});
  w.attempts.push_back(w.outcome(0, false));
  EXPECT_EQ(w.router.next(w.ask(PriorityClass::normal), w.now).reason, Reason::no_gain);
  EXPECT_EQ(w.router.next(w.ask(PriorityClass::critical), w.now).channel, 1);
}

TEST(Cascade, APaidChannelWaitsForAFreeOneAsLongAsThereIsTimeForBoth) {
  ChannelTraits sms = device_channel("sms", 0.95);
  sms.costly = true, sms.cost = 0.3, sms.path = 1;
  World w({device_channel("a"), device_channel("b", 0.6), sms});
  Ask first = w.ask(PriorityClass::high);
  Decision d;
  d.action = Action::send, d.channel = 0;
  w.attempts.push_back(w.router.sent(first, d, w.now, w.wall()));
  w.now += 60 * kSecond;
  Ask relaxed = w.ask(PriorityClass::high);
  EXPECT_EQ(w.router.next(relaxed, w.now).channel, 1);
  Ask pressed = w.ask(PriorityClass::high);
  pressed.left_s = 8;
  EXPECT_EQ(w.router.next(pressed, w.now).channel, 2);
}

TEST(Cascade, NothingIsSentAfterTheDeadline) {
  World w({device_channel("a"), device_channel("b")});
  Ask ask = w.ask();
  ask.left_s = 0;
  EXPECT_EQ(w.router.first(ask, w.now).action, Action::stop);
  EXPECT_EQ(w.router.next(ask, w.now).action, Action::stop);
}

TEST(Modes, OrderedFollowsTheCallerAndAllSendsEverywhereAtOnce) {
  World w({device_channel("a", 0.2), device_channel("b", 0.9), device_channel("c", 0.5)});
  for (const Mode mode : {Mode::ordered, Mode::all}) {
    w.attempts.clear();
    for (ChannelNo expected = 0; expected < 3; ++expected) {
      Ask ask = w.ask();
      ask.mode = mode;
      const Decision d = expected == 0 ? w.router.first(ask, w.now) : w.router.next(ask, w.now);
      ASSERT_EQ(d.action, Action::send);
      EXPECT_EQ(d.channel, expected);
      EXPECT_EQ(d.next_check_s == 0, mode == Mode::all);
      w.attempts.push_back(w.router.sent(ask, d, w.now, w.wall()));
    }
    Ask ask = w.ask();
    ask.mode = mode;
    EXPECT_EQ(w.router.next(ask, w.now).reason, Reason::used_up);
  }
}

TEST(Breaker, FiveErrorsPutTheChannelToSleepAndASingleMessageWakesIt) {
  World w({device_channel("a", 0.9), device_channel("b", 0.5)});
  const auto error = [&w] {
    Decision d;
    d.action = Action::send, d.channel = 0;
    AttemptMemo memo = w.router.sent(w.ask(), d, w.now, w.wall());
    w.router.rejected(memo, true, w.now);
  };
  for (int i = 0; i < 5; ++i) error();
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 1);
  EXPECT_TRUE(w.router.channels(w.now)[0].breaker_open);
  w.now += 31 * kSecond;
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 0);
  error();  // the trial fails: twice as long
  w.now += 31 * kSecond;
  EXPECT_EQ(w.router.first(w.ask(PriorityClass::critical), w.now).channel, 1);
  w.now += 30 * kSecond;
  w.outcome(0, true);
  EXPECT_FALSE(w.router.channels(w.now)[0].breaker_open);
}

TEST(Quota, UsedUpMeansSleepingAndRunningAheadCosts) {
  World w({device_channel("a", 0.9), device_channel("b", 0.8)});
  for (int i = 0; i < 20; ++i) w.router.quota(0, 0.8, 0.2);
  EXPECT_EQ(w.router.ranking(w.ask(PriorityClass::normal), w.now)[0].channel, 1);
  EXPECT_EQ(w.router.ranking(w.ask(PriorityClass::high), w.now)[0].channel, 0);
  w.router.quota(0, 1.0, 0.9);
  EXPECT_EQ(w.router.ranking(w.ask(PriorityClass::high), w.now).back().sleep, Sleep::quota);
}

}  // namespace
}  // namespace godwit::routing
