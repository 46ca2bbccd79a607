// A crash at any moment: what was acknowledged is there, what was done is not done again more than need be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class RecoveryTest : public testing::Test {
 protected:
  void SetUp() override {
    rig.channels.add("a", EngineRig::vendor_caps());
    rig.channels.add("own", EngineRig::connection_caps());
    ChannelCaps sms = EngineRig::vendor_caps();
    sms.metered = true;
    rig.channels.add("sms", sms);
    rig.boot();
  }
  void checkpoint() {
    bool done = false;
    rig.engine->core().checkpoint([&] { done = true; });
    rig.settle_down();
    ASSERT_TRUE(done);
  }
  uint64_t replayed() const { return rig.report.records; }

  EngineRig rig;
};

TEST_F(RecoveryTest, DevicesSurviveWithAndWithoutACheckpoint) {
  rig.add_device("d1", "u", {"a"});
  rig.crash();
  checkpoint();
  rig.add_device("d2", "u", {"a"});
  rig.crash();
  const auto devices =
      rig.ask<std::vector<Device>>([&](auto done) { rig.engine->user_devices("shop", "u", std::move(done)); });
  ASSERT_THAT(*devices, SizeIs(2));
  EXPECT_EQ((*devices)[0].channels[0].token, "t-d1-a");
}

TEST_F(RecoveryTest, AnAcceptedMessageThatWasNotSentIsSentAfterTheRestart) {
  rig.add_device("d", "u", {"a"});
  rig.channels.channels[0].credit = 0;
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.channels.channels[0].credit = 10;
  rig.answer("a", Disposition::delivered);
  rig.crash();
  rig.pass(3'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(RecoveryTest, WhatWasDeliveredIsNotSentAgainAndCanBeAskedFor) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::delivered);
  const MessageId id = rig.send(EngineRig::draft("u"));
  const auto before = rig.delivery(id);
  rig.crash();
  rig.pass(60'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_EQ(rig.status(id), "delivered");
  const auto after = rig.delivery(id);
  EXPECT_EQ(after.attempts.at(0).channel, "a");
  EXPECT_EQ(after.attempts.at(0).vendor_id, before.attempts.at(0).vendor_id);
  EXPECT_EQ(after.receipts.at(0).at_ms, before.receipts.at(0).at_ms);
  EXPECT_EQ(after.final_ms, before.final_ms);
}

TEST_F(RecoveryTest, WhatAVendorTookWaitsForItsReceiptAcrossTheRestart) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  const std::string vendor_id = rig.vendor_id_of(0);
  rig.crash();
  rig.pass(30'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_EQ(rig.status(id), "sent");
  rig.receipt("a", vendor_id);
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(RecoveryTest, AReportedReceiptSurvives) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  auto report = [&] {
    return rig.ask<ReceiptAnswer>([&](auto done) {
      rig.engine->report_receipts("shop", {{id, "d", ReceiptEvent::opened, 0}}, std::move(done));
    });
  };
  EXPECT_EQ(report()->counted, 1u);
  rig.crash();
  EXPECT_EQ(rig.status(id), "opened");
  EXPECT_EQ(report()->repeated, 1u);
}

TEST_F(RecoveryTest, ARepeatedKeyAnswersTheSameIdAfterTheRestart) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::delivered);
  MessageDraft m = EngineRig::draft("u");
  m.idempotency_key = "order-1";
  const auto first = rig.accept(m);
  checkpoint();
  rig.crash();
  const auto again = rig.accept(m);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, first->id);
  EXPECT_TRUE(again->repeated);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  m.message.content = "{}";
  EXPECT_EQ(rig.accept(m).error().code, Code::conflict);
}

TEST_F(RecoveryTest, ACostlyCallWithoutAnOutcomeIsNeverRepeated) {
  rig.add_device("d", "u", {"sms"});
  const MessageId id = rig.send(EngineRig::draft("u"));  // the call is out, no answer yet
  ASSERT_THAT(rig.channels.sent, SizeIs(1));
  rig.crash();
  rig.pass(60'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_EQ(rig.status(id), "attempted");
  rig.pass(3'700'000);
  EXPECT_EQ(rig.status(id), "expired");
}

TEST_F(RecoveryTest, ACostlyCallInFlightIsNotRepeatedAfterACheckpointEither) {
  rig.add_device("d", "u", {"sms"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  ASSERT_THAT(rig.channels.sent, SizeIs(1));
  rig.restart();
  rig.pass(60'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_EQ(rig.status(id), "attempted");
}

TEST_F(RecoveryTest, ACancelledMessageStaysCancelled) {
  rig.add_device("d", "u", {"own"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  const auto answer =
      rig.ask<CancelAnswer>([&](auto done) { rig.engine->cancel_message("shop", id, std::move(done)); });
  EXPECT_EQ(answer->cancelled, 1u);
  rig.crash();
  rig.presence("own", "d", true);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_EQ(rig.status(id), "cancelled");
}

TEST_F(RecoveryTest, AScheduledMessageKeepsItsTime) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::delivered);
  MessageDraft m = EngineRig::draft("u");
  m.message.deliver_at_ms = rig.clock.wall_ms() + 60'000;
  const MessageId id = rig.send(m);
  EXPECT_EQ(rig.status(id), "accepted");
  rig.crash();
  rig.pass(59'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  rig.pass(3'000);
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(RecoveryTest, WhatExpiredWhileWeWereAwayIsExpired) {
  rig.add_device("d", "u", {"own"});
  MessageDraft m = EngineRig::draft("u");
  m.message.ttl_ms = 10'000;
  const MessageId id = rig.send(m);
  rig.clock.advance_ms(60'000);
  rig.crash();
  EXPECT_EQ(rig.status(id), "expired");
  EXPECT_TRUE(rig.look(id)->complete);
}

TEST_F(RecoveryTest, AWaitingMessageGoesOutWhenTheDeviceConnectsAfterTheRestart) {
  rig.add_device("d", "u", {"own"});
  rig.answer("own", Disposition::delivered);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.crash();
  rig.presence("own", "d", true);
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(RecoveryTest, ACheckpointShortensTheReplay) {
  rig.answer("a", Disposition::delivered);
  rig.add_device("d", "u", {"a"});
  for (int i = 0; i < 50; ++i) rig.send(EngineRig::draft("u"));
  rig.options.idempotency_ms = 0;  // else the keys' window is read as well
  rig.pass(1);
  rig.crash();
  const uint64_t before = replayed();
  EXPECT_GE(before, 100u);
  checkpoint();
  rig.pass(1);
  rig.crash();
  EXPECT_LE(replayed(), 1u);
  EXPECT_EQ(rig.report.devices, 1u);
}

TEST_F(RecoveryTest, TheRouterKeepsWhatItHasLearned) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::delivered);
  for (int i = 0; i < 40; ++i) rig.send(EngineRig::draft("u"));
  rig.restart();
  routing::RateQuery query;
  query.now_ms = rig.clock.wall_ms();
  query.from_ms = query.now_ms - 3'600'000;
  const auto rates = rig.ask<RateView>([&](auto done) { rig.engine->rates(query, std::move(done)); });
  ASSERT_FALSE(rates->rows.empty());
  EXPECT_EQ(rates->rows[0].sent, 40);
}

TEST_F(RecoveryTest, AnUnreadableRouterSnapshotCostsTheStatisticsNotTheStart) {
  rig.engine.reset();
  ASSERT_EQ(rig.catalogue.put_value("router/snapshot", "garbage"), Fate::ok);
  rig.boot();
  EXPECT_EQ(rig.boot_error, "");
  EXPECT_THAT(rig.report.faults, SizeIs(1));
}

// ---- History: what has left memory is read from the journal

TEST_F(RecoveryTest, AFinishedMessageCanBeAskedForAfterAnOrderlyRestart) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::delivered);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.restart();
  EXPECT_EQ(rig.report.open_messages, 0u);
  const auto view = rig.look(id);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->status, "delivered");
  EXPECT_TRUE(view->complete);
  EXPECT_EQ(view->counts.sent, 1u);
  EXPECT_EQ(view->message->content, EngineRig::draft("u").message.content);
  const auto d = rig.delivery(id);
  EXPECT_EQ(d.device_id, "d");
  EXPECT_EQ(d.attempts.at(0).result, "delivered");
  EXPECT_FALSE(rig.look(id, "news"));
  EXPECT_EQ(rig.look(MessageId{id.high, id.low + 1}).error().code, Code::not_found);
}

TEST_F(RecoveryTest, FinishedMessagesLeaveMemoryInTheOrderOfTheirEndAndStayKnown) {
  rig.options.max_finished_deliveries = 10;
  rig.crash();
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::delivered);
  std::vector<MessageId> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(rig.send(EngineRig::draft("u")));
  EXPECT_LE(rig.engine->stats().finished_deliveries.value(), 10u);
  EXPECT_EQ(rig.engine->core().balance().attempts, rig.engine->stats().finished_deliveries.value());
  for (const MessageId id : ids) EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(RecoveryTest, AnIdFromOutsideTheWindowIsNotFoundWithoutASearch) {
  EXPECT_EQ(rig.look(MessageId::make(rig.clock.wall_ms() - 3 * 86'400'000, 1, {1, 1})).error().code, Code::not_found);
  EXPECT_EQ(rig.look(MessageId::make(rig.clock.wall_ms() + 86'400'000, 1, {1, 1})).error().code, Code::not_found);
}

// Small segments, so that messages are left behind in old ones.
class OldSegments : public testing::Test {
 protected:
  void SetUp() override {
    rig.channels.add("a", EngineRig::vendor_caps());
    rig.channels.add("own", EngineRig::connection_caps());
    rig.options.checkpoint_every_ms = 30'000;
    rig.boot();
  }
  EngineRig rig{{}, 4'096};
};

TEST_F(OldSegments, OpenMessagesAreCarriedForwardAndSurviveTheTrim) {
  rig.add_device("away", "u1", {"own"});
  rig.add_device("here", "u2", {"a"});
  rig.answer("a", Disposition::delivered);
  rig.answer("own", Disposition::delivered);
  MessageDraft m = EngineRig::draft("u1");
  m.message.ttl_ms = 5 * 86'400'000ll;
  const MessageId waiting = rig.send(m);
  for (int hour = 0; hour < 60; ++hour) {
    for (int i = 0; i < 20; ++i) rig.send(EngineRig::draft("u2"));
    rig.clock.advance_ms(3'600'000);
    rig.settle_down();
    rig.settle_down();
  }
  EXPECT_GT(rig.journal.segments().front().first_offset, 0u) << "nothing was trimmed";
  EXPECT_GT(rig.engine->stats().carried.value(), 0u);
  rig.crash();
  EXPECT_EQ(rig.report.damaged_records, 0u);
  EXPECT_EQ(rig.status(waiting), "planned");
  rig.presence("own", "away", true);
  EXPECT_EQ(rig.status(waiting), "delivered");
}

TEST_F(OldSegments, AKeyInAnOldSegmentIsStillKnown) {
  rig.add_device("here", "u2", {"a"});
  rig.answer("a", Disposition::delivered);
  MessageDraft keyed = EngineRig::draft("u2");
  keyed.idempotency_key = "k";
  const auto first = rig.accept(keyed);
  for (int hour = 0; hour < 20; ++hour) {
    for (int i = 0; i < 20; ++i) rig.send(EngineRig::draft("u2"));
    rig.clock.advance_ms(3'600'000);
    rig.settle_down();
  }
  EXPECT_GT(rig.journal.segments().size(), 3u);
  rig.crash();
  const auto again = rig.accept(keyed);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->id, first->id);
}

}  // namespace
}  // namespace godwit
