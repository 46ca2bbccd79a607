// The engine with all its threads: callers, the journal's writer, the engine, lanes. For ThreadSanitizer above all.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "broker/base/mailbox.hpp"
#include "broker/base/thread.hpp"
#include "broker/engine/engine.hpp"
#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

// A channel that settles on a thread of its own: `accepted`, and a receipt right behind it.
class LaneChannels final : public ChannelSet {
 public:
  LaneChannels() : lane_(start_thread("test-lane", [this] { run(); })) {}
  ~LaneChannels() override {
    over_ = true;
    work_.poke();
    lane_.join();
  }

  size_t size() const override { return 1; }
  ChannelStatus status(ChannelNo) const override {
    ChannelStatus s;
    s.name = s.plugin = "lane";
    s.state = ChannelState::ready;
    s.caps = EngineRig::vendor_caps();
    s.window = kWindow;
    return s;
  }
  std::optional<ChannelNo> find(std::string_view name) const override {
    return name == "lane" ? std::optional<ChannelNo>(0) : std::nullopt;
  }
  uint32_t credit(ChannelNo, MonoNs) const override { return kWindow - std::min(kWindow, in_flight_.load()); }
  bool submit(ChannelNo, std::vector<std::shared_ptr<const Parcel>> parcels) override {
    in_flight_ += static_cast<uint32_t>(parcels.size());
    for (auto& p : parcels) work_.put(std::move(p));
    return true;
  }
  void cancel(ChannelNo, uint64_t) override {}
  void recall(ChannelNo, RecallWish, Callback<void(RecallAnswer)>) override {}
  Result<WebhookReply> parse_webhook(ChannelNo, const WebhookRequest&) override { return WebhookReply{}; }
  Result<Preview> preview(ChannelNo, const Parcel&) override { return Preview(); }
  void event_room(ChannelNo) override {}
  void reload(ChannelNo, Callback<void(ReloadReport)>) override {}

  ChannelSink* sink = nullptr;

 private:
  static constexpr uint32_t kWindow = 64;
  void run() {
    std::vector<std::shared_ptr<const Parcel>> batch;
    while (!over_) {
      if (!work_.take(batch, std::chrono::seconds(1))) continue;
      std::vector<Settlement> settlements;
      std::vector<ChannelEvent> receipts;
      for (const auto& p : batch) {
        Settlement s;
        s.cookie = p->cookie;
        s.disposition = Disposition::accepted;
        s.vendor_id = p->message_id_text;
        settlements.push_back(s);
        ChannelEvent e;
        e.kind = ChannelEvent::Kind::receipt;
        e.vendor_id = p->message_id_text;
        e.subkind = 2;
        receipts.push_back(e);
      }
      in_flight_ -= static_cast<uint32_t>(batch.size());
      sink->settled(std::move(settlements));
      sink->events(std::move(receipts));
      sink->room(0);
    }
  }
  Mailbox<std::shared_ptr<const Parcel>> work_;
  std::atomic<uint32_t> in_flight_{0};
  std::atomic<bool> over_{false};
  std::thread lane_;
};

TEST(EngineThreads, ManyCallersAndALaneLoseNothing) {
  constexpr int kCallers = 4, kEach = 300;
  SystemClock clock;
  MemoryJournal journal;
  ASSERT_TRUE(journal.open());
  GroupCommit commits(journal, clock);
  GroupCommitLedger ledger(commits);
  MemoryCatalogue catalogue;
  LaneChannels channels;
  EngineOptions options;
  options.apps = {{"shop", {}}};
  options.checkpoint_every_ms = 20;
  Engine engine(options, {clock, journal, ledger, catalogue, {}});
  channels.sink = &engine;
  engine.attach(channels);
  ASSERT_TRUE(engine.recover());
  engine.start();

  std::atomic<int> delivered{0};
  std::promise<void> all;
  const uint64_t subscription = engine.subscribe("shop", [&](const LifeEvent& e) {
    if (e.event == "delivered" && ++delivered == kCallers * kEach) all.set_value();
  });
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c)
    callers.emplace_back([&, c] {
      std::promise<bool> registered;
      Device d;
      d.app = "shop";
      d.id = "d" + std::to_string(c);
      d.user_id = "u" + std::to_string(c);
      d.channels = {{"lane", "t" + std::to_string(c), false, 0}};
      engine.put_device(d, [&](auto r) { registered.set_value(r.ok()); });
      ASSERT_TRUE(registered.get_future().get());
      for (int i = 0; i < kEach; ++i) {
        std::vector<MessageDraft> drafts;
        drafts.push_back(EngineRig::draft(d.user_id));
        if (i % 3 == 0) drafts.back().idempotency_key = std::to_string(c) + "-" + std::to_string(i);
        std::promise<MessageId> accepted;
        engine.accept(std::move(drafts), [&](auto r) { accepted.set_value(r[0] ? r[0]->id : MessageId{}); });
        const MessageId id = accepted.get_future().get();
        ASSERT_FALSE(id.is_nil());
        if (i % 10 != 0) continue;
        std::promise<bool> known;
        engine.get_message("shop", id, [&](auto r) { known.set_value(r.ok()); });
        ASSERT_TRUE(known.get_future().get());
      }
    });
  for (auto& t : callers) t.join();
  ASSERT_EQ(all.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  engine.unsubscribe(subscription);
  engine.stop();
  commits.stop();
  EXPECT_EQ(engine.stats().open_deliveries.value(), 0u);
  EXPECT_EQ(engine.stats().accepts_on_their_way.value(), 0u);
}

TEST(EngineThreads, StoppingUnderLoadAnswersEverybody) {
  SystemClock clock;
  MemoryJournal journal;
  ASSERT_TRUE(journal.open());
  GroupCommit commits(journal, clock);
  GroupCommitLedger ledger(commits);
  MemoryCatalogue catalogue;
  LaneChannels channels;
  EngineOptions options;
  options.apps = {{"shop", {}}};
  Engine engine(options, {clock, journal, ledger, catalogue, {}});
  channels.sink = &engine;
  engine.attach(channels);
  ASSERT_TRUE(engine.recover());
  engine.start();
  std::atomic<int> asked{0}, answered{0};
  std::atomic<bool> over{false};
  std::promise<void> some;
  std::thread caller([&] {
    while (!over) {
      std::vector<MessageDraft> drafts;
      drafts.push_back(EngineRig::draft("u"));
      ++asked;
      engine.accept(std::move(drafts), [&](auto) { ++answered; });
      ++asked;
      engine.list_channels([&](auto) { ++answered; });
      if (asked == 200) some.set_value();
    }
  });
  some.get_future().wait();
  engine.stop();
  over = true;
  caller.join();
  commits.stop();
  EXPECT_EQ(asked, answered);
}

}  // namespace
}  // namespace godwit
