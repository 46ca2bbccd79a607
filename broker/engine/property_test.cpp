// Any order of outcomes, receipts, presence, cancels, restarts and time: the counts balance, states only go forwards,
// every delivery ends, and nothing is left behind.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "broker/base/random.hpp"
#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

struct World {
  explicit World(uint64_t seed) : random(seed), rig({}, 64 << 10) {
    rig.options.seed = seed;
    rig.options.router.seed = seed;
    rig.options.max_finished_deliveries = 200;
    rig.options.max_fanout_open = 8;
    ChannelCaps multi = EngineRig::vendor_caps(), sms = EngineRig::vendor_caps();
    multi.multicast = true;
    multi.max_targets = 3;
    sms.metered = true;
    rig.channels.add("vendor", EngineRig::vendor_caps());
    rig.channels.add("blind", EngineRig::blind_caps());
    rig.channels.add("own", EngineRig::connection_caps());
    rig.channels.add("multi", multi);
    rig.channels.add("sms", sms);
    rig.boot();
    const std::vector<std::vector<std::string>> kinds = {
        {"vendor"}, {"blind", "own"}, {"own"}, {"multi", "vendor"}, {}, {"vendor", "blind", "own", "multi", "sms"}};
    for (int i = 0; i < 18; ++i) rig.add_device("d" + std::to_string(i), user(i / 2), kinds[i % kinds.size()]);
  }
  static std::string user(uint64_t n) { return "u" + std::to_string(n); }

  void step() {
    switch (random.below(14)) {
      case 0:
      case 1:
      case 2:
        return send();
      case 3:
      case 4:
      case 5:
      case 6:
        return settle_one();
      case 7:
        return vendor_receipt();
      case 8:
        return app_receipt();
      case 9:
        return rig.presence("own", "d" + std::to_string(random.below(18)), random.below(2));
      case 10:
        return rig.pass(static_cast<int64_t>(random.below(random.below(10) == 0 ? 400'000 : 3'000)));
      case 11:
        if (!ids.empty() && random.below(4) == 0)
          (void)rig.ask<CancelAnswer>([&](auto done) { rig.engine->cancel_message("shop", any(), std::move(done)); });
        return;
      case 12:
        rig.channels.channels[random.below(5)].credit = static_cast<uint32_t>(random.below(3));
        return;
      case 13:
        if (random.below(12) == 0) {
          open.clear();
          // A call that had no answer is not in the journal: its delivery is planned again.
          for (auto& [id, deliveries] : seen)
            for (auto& [key, d] : deliveries)
              if (d.state == DeliveryState::attempted) d.state = DeliveryState::planned;
          random.below(2) ? rig.crash() : rig.restart();
          for (auto& channel : rig.channels.channels) channel.credit = 5;
        } else if (random.below(6) == 0) {
          rig.engine->core().checkpoint({});
          rig.settle_down();
        }
        return;
    }
  }

  MessageId any() { return ids[random.below(ids.size())]; }

  void send() {
    MessageDraft m = EngineRig::draft(user(random.below(10)));
    m.message.priority = static_cast<Priority>(random.below(4));
    m.message.routing = static_cast<RoutingMode>(random.below(3));
    m.message.ttl_ms = static_cast<int64_t>(1'000 + random.below(2'000'000));
    if (random.below(4) == 0) m.message.collapse_key = "k" + std::to_string(random.below(2));
    if (random.below(6) == 0) m.idempotency_key = "key" + std::to_string(random.below(30));
    if (random.below(8) == 0) m.message.to = {AudienceKind::all, "", {}};
    if (random.below(10) == 0)
      m.message.deliver_at_ms = rig.clock.wall_ms() + static_cast<int64_t>(random.below(50'000));
    const auto answer = rig.accept(m);
    if (answer) ids.push_back(answer->id);
    take();
  }
  // What went out since the last look and has not been answered.
  void take() {
    for (auto& s : rig.channels.sent) open.push_back(s);
    rig.channels.sent.clear();
  }
  void settle_one() {
    take();
    if (open.empty()) return;
    const size_t i = random.below(open.size());
    const FakeChannels::Sent s = open[i];
    open.erase(open.begin() + static_cast<ptrdiff_t>(i));
    Settlement answer = EngineRig::outcome(static_cast<Disposition>(random.below(11)));
    if (random.below(3)) answer.disposition = Disposition::accepted;
    answer.vendor_id = "v" + std::to_string(next_vendor_id++);
    answer.retry_after_ms = static_cast<int64_t>(random.below(20'000));
    vendor_ids.push_back({s.channel, answer.vendor_id});
    rig.settle(s, answer);
    if (random.below(20) == 0) rig.settle(s, answer);  // twice, as a broken plugin might
    take();
  }
  void vendor_receipt() {
    if (vendor_ids.empty()) return;
    const auto& [channel, id] = vendor_ids[random.below(vendor_ids.size())];
    rig.receipt(rig.channels.channels[channel].status.name, id, 1u << random.below(5));
  }
  void app_receipt() {
    if (ids.empty()) return;
    const ReceiptReport r{any(), "d" + std::to_string(random.below(18)), static_cast<ReceiptEvent>(random.below(4)), 0};
    (void)rig.ask<ReceiptAnswer>([&](auto done) { rig.engine->report_receipts("shop", {r}, std::move(done)); });
  }

  // Looks at every message: sums, and that nothing went backwards since the last look.
  void check() {
    for (const MessageId& id : ids) {
      const auto v = rig.look(id);
      ASSERT_TRUE(v) << id.text();
      const MessageCounts& c = v->counts;
      ASSERT_LE(c.opened, c.delivered);
      ASSERT_LE(c.delivered, c.sent);
      ASSERT_LE(c.sent, c.attempted);
      ASSERT_LE(c.attempted, c.accepted);
      const uint64_t ended = c.suppressed + c.failed + c.expired + c.cancelled;
      ASSERT_LE(c.sent + ended, c.accepted) << id.text();
      ASSERT_TRUE(!v->complete || c.sent + ended == c.accepted) << id.text() << " " << v->status;
      std::map<std::string, DeliveryView> now;
      for (DeliveryView& d : rig.deliveries(id)) {
        const std::string key = d.device_id + "/" + d.user_id;
        const auto before = seen[id].find(key);
        if (before != seen[id].end()) {
          const DeliveryState was = before->second.state;
          ASSERT_GE(d.state, was) << id.text() << " " << key;
          ASSERT_TRUE(was <= DeliveryState::opened || d.state == was) << id.text();
          ASSERT_GE(d.receipts.size(), before->second.receipts.size());
        }
        std::set<ReceiptEvent> events;
        for (const ReceiptView& r : d.receipts) ASSERT_TRUE(events.insert(r.event).second) << "counted twice";
        now[key] = std::move(d);
      }
      seen[id] = std::move(now);
    }
  }

  // Everything is answered and time passes: all must end.
  void drain() {
    for (auto& channel : rig.channels.channels) channel.credit = 1'000;
    for (int i = 0; i < 4'000 && (take(), !open.empty()); ++i) settle_one();
    for (int i = 0; i < 40; ++i) {
      rig.pass(120'000);
      for (take(); !open.empty(); take()) settle_one();
    }
  }

  Random random;
  EngineRig rig;
  std::vector<MessageId> ids;
  std::vector<FakeChannels::Sent> open;
  std::vector<std::pair<ChannelNo, std::string>> vendor_ids;
  std::map<MessageId, std::map<std::string, DeliveryView>> seen;
  uint64_t next_vendor_id = 1;
};

class Property : public testing::TestWithParam<uint64_t> {};

TEST_P(Property, CountsBalanceStatesGoForwardsAndEverythingEnds) {
  World world(GetParam());
  for (int i = 0; i < 600; ++i) {
    world.step();
    if (i % 60 == 0) world.check();
    if (HasFatalFailure()) return;
  }
  world.drain();
  world.check();
  if (HasFatalFailure()) return;
  for (const MessageId& id : world.ids) {
    const auto v = world.rig.look(id);
    ASSERT_TRUE(v);
    EXPECT_TRUE(v->complete) << id.text() << " " << v->status;
  }
  const auto balance = world.rig.engine->core().balance();
  EXPECT_EQ(balance.open_messages, 0u);
  EXPECT_EQ(balance.open_deliveries, 0u);
  EXPECT_EQ(balance.flights, 0u);
  EXPECT_EQ(balance.timers, 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Property, testing::Range<uint64_t>(1, 17));

}  // namespace
}  // namespace godwit
