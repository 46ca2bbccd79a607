// Messages to topics and to everybody: drawn little by little, bounded, continued after a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

using testing::SizeIs;

class FanOutTest : public testing::Test {
 protected:
  void SetUp() override {
    rig.options.max_fanout_open = 100;
    rig.channels.add("a", EngineRig::blind_caps());
    rig.boot();
    rig.answer("a", Disposition::accepted);
  }
  void add_devices(int n) {
    for (int i = 0; i < n; ++i) rig.add_device("d" + std::to_string(i), "", {"a"});
  }
  static MessageDraft to_all() {
    MessageDraft m = EngineRig::draft("");
    m.message.to = {AudienceKind::all, "", {}};
    return m;
  }
  void subscribe(const std::string& device) {
    ASSERT_TRUE(
        rig.ask<void>([&](auto done) { rig.engine->set_topic("shop", "sale", device, true, std::move(done)); }));
  }
  std::map<std::string, int> arrivals() const {
    std::map<std::string, int> out;
    for (const auto& s : rig.channels.sent) ++out[s.to().address];
    return out;
  }
  EngineRig rig;
};

TEST_F(FanOutTest, EveryDeviceOfTheAppGetsItOnce) {
  add_devices(2'500);
  rig.add_device("other", "", {"a"}, "news");
  const auto answer = rig.accept(to_all());
  EXPECT_FALSE(answer->recipients);  // still counting when it was answered
  rig.settle_down();
  EXPECT_THAT(arrivals(), SizeIs(2'500));
  EXPECT_EQ(rig.channels.sent.size(), 2'500u);
  const auto view = rig.look(answer->id);
  EXPECT_TRUE(view->complete);
  EXPECT_EQ(view->counts.sent, 2'500u);
}

TEST_F(FanOutTest, ATopicReachesItsSubscribersOnly) {
  add_devices(30);
  for (int i = 0; i < 30; i += 3) subscribe("d" + std::to_string(i));
  MessageDraft m = to_all();
  m.message.to = {AudienceKind::topic, "", {"sale"}};
  const MessageId id = rig.send(m);
  EXPECT_EQ(rig.counts(id).sent, 10u);
}

TEST_F(FanOutTest, ATopicWithoutSubscribersIsSuppressedAndComplete) {
  MessageDraft m = to_all();
  m.message.to = {AudienceKind::topic, "", {"nobody"}};
  const MessageId id = rig.send(m);
  EXPECT_EQ(rig.status(id), "suppressed");
  EXPECT_TRUE(rig.look(id)->complete);
}

TEST_F(FanOutTest, WorkInProgressIsBoundedWhenTheChannelIsSlow) {
  add_devices(1'000);
  rig.channels.channels[0].credit = 0;
  const MessageId id = rig.send(to_all());
  EXPECT_EQ(rig.engine->core().balance().open_deliveries, 100u);
  rig.channels.channels[0].credit = 10;
  rig.pass(1'000);
  EXPECT_EQ(rig.counts(id).sent, 1'000u);
}

// A million outcomes queued for a slow disk took more memory than the deliveries themselves.
TEST_F(FanOutTest, NobodyIsDrawnWhileTheJournalIsBehind) {
  add_devices(1'000);
  rig.ledger.queued = 64 << 20;
  const MessageId id = rig.send(to_all());
  rig.pass(1'000);
  EXPECT_EQ(rig.counts(id).accepted, 0u);
  rig.ledger.queued = 1 << 20;
  rig.pass(1'000);
  EXPECT_EQ(rig.counts(id).sent, 1'000u);
}

TEST_F(FanOutTest, AnUrgentMessageOvertakesAFanOut) {
  add_devices(1'000);
  rig.add_device("vip", "u", {"a"});
  rig.channels.channels[0].credit = 0;
  rig.send(to_all());
  MessageDraft m = EngineRig::draft("u");
  m.message.priority = Priority::critical;
  rig.send(m);
  rig.channels.channels[0].credit = 1;
  rig.settle_down();
  ASSERT_FALSE(rig.channels.sent.empty());
  EXPECT_EQ(rig.channels.sent[0].parcel->message->priority, Priority::critical);
}

TEST_F(FanOutTest, ACancelledFanOutDrawsNobodyElse) {
  add_devices(1'000);
  rig.channels.channels[0].credit = 0;
  const MessageId id = rig.send(to_all());
  const auto answer =
      rig.ask<CancelAnswer>([&](auto done) { rig.engine->cancel_message("shop", id, std::move(done)); });
  EXPECT_EQ(answer->cancelled, 100u);
  rig.channels.channels[0].credit = 10;
  rig.pass(1'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_TRUE(rig.look(id)->complete);
}

// In the middle of a fan-out to 3,000: before, between and after CURSOR records, with and without checkpoints.
class FanOutCrash : public FanOutTest, public testing::WithParamInterface<std::tuple<int, bool>> {};

TEST_P(FanOutCrash, EveryDeviceIsServedAndFewTwice) {
  const auto [crash_after, with_checkpoint] = GetParam();
  add_devices(3'000);
  rig.channels.channels[0].credit = 0;
  const MessageId id = rig.send(to_all());
  std::map<std::string, int> seen;
  const auto collect = [&] {
    for (const auto& [address, n] : arrivals()) seen[address] += n;
  };
  rig.channels.channels[0].credit = 50;
  while (static_cast<int>(rig.channels.sent.size()) < crash_after) rig.engine->turn();
  if (with_checkpoint) {
    rig.engine->core().checkpoint({});
    rig.engine->turn();
    for (int i = 0; i < 20; ++i) rig.engine->turn();
  }
  collect();
  rig.crash();
  rig.pass(5'000);
  collect();
  EXPECT_EQ(seen.size(), 3'000u);
  int twice = 0;
  for (const auto& [address, n] : seen) twice += n - 1;
  EXPECT_LE(twice, 100);
  const auto view = rig.look(id);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->complete);
  EXPECT_EQ(view->counts.sent, 3'000u);
  EXPECT_EQ(view->counts.accepted, 3'000u);
}
INSTANTIATE_TEST_SUITE_P(Moments, FanOutCrash,
                         testing::Combine(testing::Values(0, 50, 700, 1'000, 1'950, 2'950, 3'000), testing::Bool()));

// A vendor that takes a thousand targets a call counts calls: parcels leave full, but for the last.
TEST_F(FanOutTest, ParcelsFillUpWhileOthersAreOnTheirWay) {
  EngineRig many;
  ChannelCaps caps = EngineRig::blind_caps();
  caps.multicast = true;
  caps.max_targets = 1'000;
  many.channels.add("multi", caps);
  many.boot();
  many.leave_open("multi");
  for (int i = 0; i < 4'000; ++i) many.add_device("d" + std::to_string(i), "", {"multi"});
  const MessageId id = many.send(to_all());
  many.pass(100);
  std::set<const Parcel*> parcels;
  for (const auto& s : many.channels.sent) parcels.insert(s.parcel.get());
  EXPECT_LE(parcels.size(), 5u);
  const auto sent = many.channels.sent;
  for (const auto& s : sent) many.settle(s, EngineRig::outcome(Disposition::accepted));
  many.pass(100);
  EXPECT_EQ(many.counts(id).sent, 4'000u);
}

}  // namespace
}  // namespace godwit
