#include "broker/routing/doubt.hpp"

#include <gtest/gtest.h>

#include "broker/base/random.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {
namespace {

// A thousand phones; every tenth was never reached by the channel, and the others are in 80 of 100.
struct Fleet {
  Doubt doubt;
  Random random{7};
  double t = 1000;

  static double expected(DeviceNo d) { return d % 10 == 0 ? 0.02 : 0.75; }
  // Of what does not arrive, `invented` is told to have arrived; `left` of what was expected does.
  void messages(int n, double invented, double left = 1) {
    for (int i = 0; i < n; ++i, t += 2) {
      const auto device = static_cast<DeviceNo>(random.below(1000));
      const bool arrives = random.uniform() < expected(device) * left;
      doubt.hear({device, arrives || random.uniform() < invented, false, true, expected(device)}, t);
    }
  }
};

TEST(Doubt, ChannelsThatTellTheTruthAreBelieved) {
  Fleet fleet;
  fleet.messages(100'000, 0);
  EXPECT_FALSE(fleet.doubt.doubted());
  EXPECT_EQ(fleet.doubt.health(0.95, fleet.t), 1);
  fleet.messages(10'000, 0, 0.3);  // worse is not a lie
  EXPECT_FALSE(fleet.doubt.doubted());
}

TEST(Doubt, ReceiptsFromPhonesThatWereNeverReachedRaiseIt) {
  Fleet fleet;
  fleet.messages(2000, 0);
  fleet.messages(400, 0.8);
  EXPECT_TRUE(fleet.doubt.doubted());
}

TEST(Doubt, TellsHowMuchIsBehindTheReceipts) {
  Fleet sound, sick;
  sound.messages(4000, 0.5), sick.messages(4000, 0.5, 0.2);
  ASSERT_TRUE(sound.doubt.doubted() && sick.doubt.doubted());
  EXPECT_GT(sound.doubt.health(1, sound.t), 0.85);
  EXPECT_LT(sick.doubt.health(1, sick.t), 0.35);
}

TEST(Doubt, EndsWithTheLies) {
  Fleet fleet;
  fleet.messages(2000, 0.8);
  ASSERT_TRUE(fleet.doubt.doubted());
  fleet.messages(1000, 0);
  EXPECT_FALSE(fleet.doubt.doubted());
  EXPECT_EQ(fleet.doubt.health(0.95, fleet.t), 1);
}

TEST(Doubt, OnePhoneThatComesBackToLifeIsNoLie) {
  Doubt doubt;
  for (int i = 0; i < 1000; ++i) doubt.hear({1, true, false, true, 0.02}, 10.0 * i);
  EXPECT_FALSE(doubt.doubted());
}

TEST(Doubt, PhonesThatSayThemselvesThatItArrivedClearTheChannel) {
  Doubt doubt;
  for (DeviceNo d = 0; d < 400; ++d) doubt.hear({d, true, d % 2 == 0, true, 0.02}, 10.0 * d);
  EXPECT_FALSE(doubt.doubted());
  for (DeviceNo d = 0; d < 50; ++d) doubt.hear({d, true, false, true, 0.02}, 5000 + 10.0 * d);
  ASSERT_TRUE(doubt.doubted());
  for (DeviceNo d = 0; d < 50; ++d) doubt.hear({d, true, true, true, 0.02}, 6000 + 10.0 * d);
  EXPECT_FALSE(doubt.doubted());
}

TEST(Doubt, AChannelThatBecameBetterIsBelievedAfterThreeDays) {
  Fleet fleet;
  fleet.messages(2 * 86400, 0.8);  // four days
  EXPECT_FALSE(fleet.doubt.doubted());
  EXPECT_EQ(fleet.doubt.health(0.95, fleet.t), 1);
}

TEST(Doubt, SurvivesARestart) {
  Fleet fleet;
  fleet.messages(2000, 0.5, 0.2);
  std::string bytes;
  ByteWriter out(bytes);
  fleet.doubt.save(out);
  Doubt restored;
  ByteReader in(bytes);
  restored.restore(in);
  ASSERT_TRUE(!in.failed() && in.at_end());
  EXPECT_TRUE(restored.doubted());
  EXPECT_EQ(restored.health(0.95, fleet.t), fleet.doubt.health(0.95, fleet.t));
}

// Through the router: 300 phones, a third of which channel 0 never reaches; then it invents its receipts.
TEST(Doubt, ALyingChannelDoesNotBecomeBetterInTheRoutersEyes) {
  Router router{Options{}};
  ChannelTraits traits;
  traits.name = "a";
  traits.receipts = ReceiptKind::vendor;
  router.add_channel(traits);
  for (DeviceNo d = 0; d < 300; ++d) router.set_device(d, {"xiaomi", "android", "13", "", ""}, 1);
  MonoNs now = 100 * kNsPerSecond;
  const auto wall = [&] { return 1'790'000'000'000 + now / kNsPerMs; };
  const auto round = [&](bool lies) {
    for (DeviceNo d = 0; d < 300; ++d) {
      Ask ask;
      ask.device = d;
      Decision decision;
      decision.action = Action::send, decision.channel = 0;
      AttemptMemo memo = router.sent(ask, decision, now, wall());
      now += 2 * kNsPerSecond;
      if (d % 3 != 0 || lies) {
        router.receipt(memo, ReceiptKind::vendor, now, wall());
      } else {
        now += static_cast<MonoNs>(router.soft_timeout_s(0)) * kNsPerSecond;
        router.silent(memo, now);
      }
    }
  };
  const auto rate = [&](DeviceNo d) {
    const std::vector<Offer> offers{{0}};
    Ask ask;
    ask.device = d;
    ask.offers = offers;
    ask.left_s = 600;
    return router.ranking(ask, now).front().rate;
  };
  for (int i = 0; i < 4; ++i) round(false);
  const double before = rate(297);
  ASSERT_LT(before, 0.25);
  for (int i = 0; i < 6; ++i) round(true);
  EXPECT_TRUE(router.channels(now)[0].doubted);
  EXPECT_NEAR(rate(297), before, 0.1);
  EXPECT_GT(rate(298), 0.8);
  EXPECT_TRUE(router.alarms().empty());
}

TEST(Doubt, AChannelThatIsBetterThanItsPriorIsNews) {
  for (const bool at_once : {false, true}) {  // or all receipts of the first broadcast together
    Router router{Options{}};
    ChannelTraits traits;
    traits.name = "a";
    traits.receipts = ReceiptKind::vendor;
    traits.prior = 0.05;
    router.add_channel(traits);
    MonoNs now = 100 * kNsPerSecond;
    std::vector<AttemptMemo> memos;
    for (DeviceNo d = 0; d < 2000; ++d, now += at_once ? kNsPerMs : kNsPerSecond) {
      const std::string maker = "maker " + std::to_string(d % 40), version = std::to_string(d % 3);
      router.set_device(d, {maker, "android", version, "", ""}, 1);
      Ask ask;
      ask.device = d;
      Decision decision;
      decision.action = Action::send, decision.channel = 0;
      AttemptMemo memo = router.sent(ask, decision, now, 1'790'000'000'000);
      memos.push_back(memo);
      if (at_once && d + 1 < 2000) continue;
      for (AttemptMemo& sent : memos) {
        router.receipt(sent, ReceiptKind::vendor, now + kNsPerSecond, 1'790'000'000'000);
        ASSERT_FALSE(router.channels(now)[0].doubted) << d;
      }
      memos.clear();
    }
  }
}

}  // namespace
}  // namespace godwit::routing
