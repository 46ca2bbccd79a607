// What survives a restart, and for how long.
#include <gtest/gtest.h>

#include "broker/routing/router.hpp"

namespace godwit::routing {
namespace {

constexpr WallMs kWall = 1'790'000'000'000;
constexpr int64_t kMinute_ms = 60'000;

ChannelTraits channel(std::string name) {
  ChannelTraits t;
  t.name = std::move(name);
  t.receipts = ReceiptKind::device;
  t.prior = 0.85;
  return t;
}

struct Site {
  explicit Site(Options options = {}) : router(options) {}

  Router router;
  MonoNs now = 100 * kNsPerSecond;
  WallMs wall() const { return kWall + now / kNsPerMs; }

  void add(const std::vector<std::string>& names) {
    for (const std::string& name : names) router.add_channel(channel(name));
  }
  void start(const std::vector<std::string>& names = {"a", "b"}) {
    add(names);
    for (DeviceNo d = 0; d < 500; ++d) router.set_device(d, {"xiaomi", "android", "13", "cn", ""}, 3);
  }
  void send(DeviceNo device, ChannelNo channel, bool arrives) {
    Ask ask;
    ask.device = device;
    Decision d;
    d.action = Action::send, d.channel = channel;
    AttemptMemo memo = router.sent(ask, d, now, wall());
    now += 2 * kNsPerSecond;
    if (arrives) {
      router.receipt(memo, ReceiptKind::device, now, wall());
    } else {
      now += static_cast<MonoNs>(router.soft_timeout_s(channel)) * kNsPerSecond;
      router.silent(memo, now);
    }
  }
  double rate(DeviceNo device, ChannelNo channel, MonoNs at) const {
    const std::vector<Offer> offers{{channel}};
    Ask ask;
    ask.device = device;
    ask.offers = offers;
    ask.left_s = 600;
    return router.ranking(ask, at).front().rate;
  }
};

TEST(Restart, InTheMiddleOfAnOutageKeepsTheAlarm) {
  Site site;
  site.start();
  for (DeviceNo d = 0; d < 200; ++d) site.send(d, 0, true);
  for (DeviceNo d = 200; d < 240; ++d) site.send(d, 0, false);
  ASSERT_FALSE(site.router.alarms().empty());
  const std::string bytes = site.router.save(site.now, site.wall());

  Router soon{Options{}};
  ASSERT_TRUE(soon.restore(bytes, 5, site.wall() + 2 * kMinute_ms));
  ASSERT_EQ(soon.alarms().size(), site.router.alarms().size());
  EXPECT_EQ(soon.alarms()[0].channel, 0);
  EXPECT_LT(soon.alarms()[0].since_ns, 5);

  Router late{Options{}};
  ASSERT_TRUE(late.restore(bytes, 5, site.wall() + 11 * kMinute_ms));
  EXPECT_TRUE(late.alarms().empty());
}

TEST(Restart, DevicesAndSegmentsAreKnownAgainWithANewMonotonicClock) {
  Site site;
  site.start();
  for (int i = 0; i < 8; ++i) site.send(7, 0, false), site.send(7, 1, true);
  const std::string bytes = site.router.save(site.now, site.wall());
  Site next;
  ASSERT_TRUE(next.router.restore(bytes, 42, site.wall()));
  next.add({"a", "b"});
  EXPECT_NEAR(next.rate(7, 0, 42), site.rate(7, 0, site.now), 1e-6);
  EXPECT_NEAR(next.rate(7, 1, 42), site.rate(7, 1, site.now), 1e-6);
}

TEST(Restart, TimeAwayCountsAsTime) {
  Site site;
  site.start();
  for (int i = 0; i < 8; ++i) site.send(7, 0, false);
  const std::string bytes = site.router.save(site.now, site.wall());
  Site next;
  next.add({"a", "b"});
  ASSERT_TRUE(next.router.restore(bytes, 42, site.wall() + 40 * 24 * 60 * kMinute_ms));
  EXPECT_GT(next.rate(7, 0, 42), site.rate(7, 0, site.now) + 0.2);  // four half-lives later
}

TEST(Restart, ChannelsKeepTheirStatisticsByNameWhateverTheirOrder) {
  Site site;
  site.start({"a", "b"});
  for (int i = 0; i < 8; ++i) site.send(7, 0, false), site.send(7, 1, true);
  const std::string bytes = site.router.save(site.now, site.wall());
  Site next;
  next.router.add_channel(channel("new"));
  next.router.add_channel(channel("b"));
  ASSERT_TRUE(next.router.restore(bytes, 42, site.wall()));
  EXPECT_EQ(next.router.add_channel(channel("a")), 2);
  EXPECT_LT(next.rate(7, 2, 42), 0.5);
  EXPECT_GT(next.rate(7, 1, 42), 0.8);
  EXPECT_NEAR(next.rate(400, 0, 42), 0.85, 0.01);
}

TEST(Restart, AnotherHalfLifeIsTakenOver) {
  Site site;
  site.start();
  for (DeviceNo d = 0; d < 100; ++d) site.send(d, 0, false);
  const std::string bytes = site.router.save(site.now, site.wall());
  Router next{Options{.half_life_shared_s = 3600}};
  ASSERT_TRUE(next.restore(bytes, 42, site.wall()));
  EXPECT_NEAR(next.channels(42)[0].rate, site.router.channels(site.now)[0].rate, 1e-6);
  EXPECT_NEAR(next.channels(42)[0].samples, site.router.channels(site.now)[0].samples, 1e-3);
}

TEST(Restart, AfterTheFirstDeviceItIsTooLateToRestore) {
  Site site;
  site.start();
  const std::string bytes = site.router.save(site.now, site.wall());
  const auto refused = site.router.restore(bytes, site.now, site.wall());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
}

TEST(Restart, WithOtherSegmentsKeepsWhatIsKnownOfManufacturersAndPhones) {
  Site before;
  before.start();
  for (DeviceNo d = 0; d < 200; ++d) before.send(d, 0, d % 4 == 0);
  const std::string saved = before.router.save(before.now, before.wall());
  Options by_app;
  by_app.segment = {.os = true, .region = false, .app_version = true};
  Site after(by_app);
  after.add({"a", "b"});
  after.now = before.now;
  ASSERT_TRUE(after.router.restore(saved, after.now, after.wall()));
  after.start();
  EXPECT_NEAR(after.rate(499, 0, after.now), before.rate(499, 0, before.now), 0.1);  // never sent to
  EXPECT_NEAR(after.rate(4, 0, after.now), before.rate(4, 0, before.now), 0.1);
}

}  // namespace
}  // namespace godwit::routing
