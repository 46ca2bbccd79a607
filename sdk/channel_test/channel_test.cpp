// The C++ layer from the outside: what a host sees of channels written with it.
#include <gtest/gtest.h>

#include <stdexcept>

#include <godwit/event_queue.hpp>
#include <godwit/json.hpp>
#include <godwit/settle_buffer.hpp>

#include "sdk/testhost/instance.hpp"

namespace {

using godwit::Batch;
using godwit::Host;
using godwit::Json;
using godwit::Outcome;
using godwit::Pending;
using godwit::testhost::Instance;

// A channel whose submit is given by the test.
class Scripted : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("test.scripted")
        .name("Scripted")
        .version("1.0.0")
        .caps({.flags = GW_CAP_MULTICAST, .max_targets = 3, .max_window = 77});
  }
  static godwit::Result<std::unique_ptr<Scripted>> create(Host host, Json config) {
    if (config.contains("throw")) throw std::runtime_error("no luck");
    if (!config.contains("key")) return godwit::invalid("must be given", "/key");
    return std::make_unique<Scripted>(host);
  }
  explicit Scripted(Host h) : host(h) { latest = this; }
  ~Scripted() override { latest = nullptr; }
  void start() override {
    if (refuses_start) throw godwit::Error{GW_E_IO, "the address is taken", "/tcp"};
    host.set_state(GW_STATE_READY);
  }
  void submit(Batch batch) override { on_submit(*this, batch); }
  void stop() override {
    if (on_stop) on_stop(*this);
  }

  Host host;
  std::vector<Pending> kept;
  static inline Scripted* latest = nullptr;
  static inline bool refuses_start = false;
  static inline void (*on_submit)(Scripted&, Batch&) = nullptr;
  static inline void (*on_stop)(Scripted&) = nullptr;
};

struct ChannelTest : testing::Test, Instance {
  ChannelTest() : Instance(&godwit::Export<Scripted>::type) { Scripted::on_stop = nullptr; }
  void begin(void (*on_submit)(Scripted&, Batch&)) {
    Scripted::on_submit = on_submit;
    ASSERT_EQ(create(R"({"key": 1})"), GW_OK) << diag().text();
    ASSERT_EQ(start(), GW_OK);
    ASSERT_TRUE(wait_ready());
  }
  uint32_t disposition(uint64_t ticket) {
    auto ends = host().settled(ticket);
    EXPECT_EQ(ends.size(), 1u) << "ticket " << ticket;
    return ends.empty() ? 99 : ends[0].disposition;
  }
};

TEST_F(ChannelTest, ARefusedCreateNamesThePropertyAndLeavesNothing) {
  EXPECT_EQ(create("{}"), GW_E_INVALID);
  ASSERT_EQ(diag().lines().size(), 1u);
  EXPECT_EQ(diag().lines()[0].where, "/key");
  EXPECT_EQ(Scripted::latest, nullptr);
}

TEST_F(ChannelTest, AnExceptionInCreateBecomesInternalWithItsText) {
  EXPECT_EQ(create(R"({"throw": 1})"), GW_E_INTERNAL);
  EXPECT_NE(diag().text().find("no luck"), std::string::npos) << diag().text();
}

TEST_F(ChannelTest, AnErrorThrownByStartReachesTheOperatorAsItIs) {
  Scripted::refuses_start = true;
  ASSERT_EQ(create(R"({"key": 1})"), GW_OK);
  EXPECT_EQ(start(), GW_E_IO);
  Scripted::refuses_start = false;
  ASSERT_EQ(diag().lines().size(), 1u);
  EXPECT_EQ(diag().lines()[0].where, "/tcp");
  EXPECT_EQ(diag().lines()[0].text, "the address is taken");
}

TEST_F(ChannelTest, ConfigurationThatIsNotJsonIsInvalid) {
  EXPECT_EQ(create("{\"key\""), GW_E_INVALID);
}

TEST_F(ChannelTest, TheFirstReadyOpensTheWholeWindow) {
  begin(nullptr);
  EXPECT_EQ(host().window(), 77u);
}

TEST_F(ChannelTest, AForgottenMessageIsReportedAsUnknown) {
  begin([](Scripted&, Batch& batch) {
    for (Pending m : batch)
      if (m.message().ticket() != 2) m.settle(Outcome::accepted());
  });
  ASSERT_EQ(submit({{}, {}, {}}), GW_OK);
  EXPECT_EQ(disposition(1), GW_ACCEPTED);
  EXPECT_EQ(disposition(2), GW_UNKNOWN);
  EXPECT_EQ(host().settled(2)[0].detail, "forgotten by plugin");
  EXPECT_EQ(disposition(3), GW_ACCEPTED);
}

TEST_F(ChannelTest, WhatWasNotTakenOutOfTheBatchIsUnknownToo) {
  begin([](Scripted&, Batch& batch) { batch.take().settle(Outcome::accepted()); });
  ASSERT_EQ(submit({{}, {}}), GW_OK);
  EXPECT_EQ(disposition(1), GW_ACCEPTED);
  EXPECT_EQ(disposition(2), GW_UNKNOWN);
}

TEST_F(ChannelTest, ThrowingBeforeTheFirstMessageRefusesTheBatch) {
  begin([](Scripted&, Batch&) { throw std::runtime_error("not now"); });
  EXPECT_EQ(submit({{}, {}}), GW_E_INTERNAL);
  EXPECT_EQ(host().settle_count(), 0u);
}

TEST_F(ChannelTest, ThrowingInTheMiddleRetriesOnlyWhatSurelyDidNotLeave) {
  begin([](Scripted&, Batch& batch) {
    for (Pending m : batch) {
      if (m.message().ticket() == 2) throw std::runtime_error("bad message");
      m.settle(Outcome::accepted());
    }
  });
  EXPECT_EQ(submit({{}, {}, {}}), GW_OK);
  EXPECT_EQ(disposition(1), GW_ACCEPTED);
  EXPECT_EQ(disposition(2), GW_UNKNOWN);
  EXPECT_EQ(disposition(3), GW_RETRY);
}

TEST_F(ChannelTest, EachTargetOfAMulticastEndsOnItsOwn) {
  begin([](Scripted&, Batch& batch) {
    Pending m = batch.take();
    m.settle(1, Outcome::target_invalid("Dead", 123));
    EXPECT_TRUE(m.is_open());
    m.settle(Outcome::accepted());
    EXPECT_FALSE(m.is_open());
  });
  ASSERT_EQ(submit({{.addresses = {"a", "b", "c"}}}), GW_OK);
  ASSERT_EQ(host().settled(1).size(), 3u);
  EXPECT_EQ(host().settled(1)[0].disposition, GW_TARGET_INVALID);
  EXPECT_EQ(host().settled(1)[0].target_index, 1u);
}

TEST_F(ChannelTest, DrainWaitsForTheLastMessage) {
  begin([](Scripted& c, Batch& batch) {
    for (Pending m : batch) c.kept.push_back(std::move(m));
    c.host.after(2'000'000'000, [&c] { c.kept.clear(); });
  });
  ASSERT_EQ(submit({{}, {}}), GW_OK);
  uint64_t begin_ns = host().now_ns();
  EXPECT_TRUE(drain());
  EXPECT_EQ(host().now_ns() - begin_ns, 2'000'000'000u);
  EXPECT_EQ(host().open_targets(), 0u);
}

TEST_F(ChannelTest, WhatTheChannelStillHoldsIsSettledWithinStop) {
  begin([](Scripted& c, Batch& batch) {
    for (Pending m : batch) c.kept.push_back(std::move(m));
    Pending* first = &c.kept.front();
    c.host.after(1'000'000'000, [m = std::move(*first)]() mutable { m.settle(Outcome::accepted()); });
  });
  ASSERT_EQ(submit({{}, {}}), GW_OK);
  stop();
  EXPECT_EQ(host().open_targets(), 0u);
  destroy();
  EXPECT_EQ(host().misbehaviours(), std::vector<std::string>());
}

TEST_F(ChannelTest, AnExceptionInAPostedFunctionIsLoggedAndNothingElse) {
  begin([](Scripted& c, Batch& batch) {
    for (Pending m : batch) m.settle(Outcome::accepted());
    c.host.post([] { throw std::runtime_error("posted trouble"); });
  });
  ASSERT_EQ(submit({{}}), GW_OK);
  host().lane().run();
  ASSERT_EQ(host().logs().size(), 1u);
  EXPECT_NE(host().logs()[0].text.find("posted trouble"), std::string::npos);
}

TEST_F(ChannelTest, ManyOutcomesTravelTogether) {
  begin([](Scripted& c, Batch& batch) {
    godwit::SettleBuffer settles(c.host);
    gw_outcome accepted{};
    for (Pending m : batch) settles.settle(std::move(m), accepted);
  });
  ASSERT_EQ(submit(std::vector<godwit::testhost::ParcelSpec>(200)), GW_OK);
  EXPECT_EQ(host().settle_count(), 200u);
  EXPECT_TRUE(drain());
}

TEST_F(ChannelTest, EventsWaitForRoomInOrder) {
  begin(nullptr);
  host().refuse_events(1);
  godwit::EventQueue queue(Scripted::latest->host, 3);
  EXPECT_TRUE(queue.send(godwit::Event::receipt(GW_RECEIPT_DELIVERED, "v1", "e1")));
  EXPECT_TRUE(queue.send({.kind = GW_EVENT_PRESENCE, .event_id = "p"}));
  EXPECT_TRUE(queue.send(godwit::Event::receipt(GW_RECEIPT_DELIVERED, "v2", "e2")));
  EXPECT_TRUE(queue.send(godwit::Event::receipt(GW_RECEIPT_DELIVERED, "v3", "e3")));  // presence gives way
  EXPECT_FALSE(queue.send(godwit::Event::receipt(GW_RECEIPT_DELIVERED, "v4", "e4")));
  EXPECT_EQ(queue.dropped(), 2u);
  queue.flush();
  ASSERT_EQ(host().events().size(), 3u);
  EXPECT_EQ(host().events()[0].vendor_id, "v1");
  EXPECT_EQ(host().events()[2].vendor_id, "v3");
}

TEST_F(ChannelTest, ReconfigureAsksForANewInstanceByDefault) {
  begin(nullptr);
  godwit::testhost::DiagLog diag_log;
  EXPECT_EQ(reconfigure(R"({"key": 2})", diag_log), GW_E_NEEDS_RESTART);
}

TEST_F(ChannelTest, CallsAfterStopAnswerClosed) {
  begin(nullptr);
  stop();
  gw_batch batch{sizeof batch, 0, nullptr};
  EXPECT_EQ(ops().submit(self(), &batch), GW_E_CLOSED);
  EXPECT_EQ(ops().health(self(), nullptr), GW_E_CLOSED);
}

}  // namespace
