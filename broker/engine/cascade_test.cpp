// Silence and what follows: the next channel, receipts late and twice, the connection that comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::SizeIs;

class CascadeTest : public testing::Test {
 protected:
  void SetUp() override {
    rig.channels.add("a", EngineRig::vendor_caps());
    rig.channels.add("b", EngineRig::vendor_caps());
    rig.channels.add("own", EngineRig::connection_caps());
    rig.channels.add("server", EngineRig::server_caps());
    rig.boot();
  }
  Result<ReceiptAnswer> report(MessageId id, const std::string& device, ReceiptEvent event) {
    return rig.ask<ReceiptAnswer>([&](auto done) {
      rig.engine->report_receipts("shop", {{id, device, event, rig.clock.wall_ms()}}, std::move(done));
    });
  }
  // The answer to a vendor's callback, which must not come before what it reports is on the disk.
  Result<Broker::CallbackAnswer> answered_when_durable(const Broker::VendorCall& call) {
    std::optional<Result<Broker::CallbackAnswer>> answer;
    rig.ledger.held = true;
    rig.engine->vendor_callback(call, [&](auto a) { answer = std::move(a); });
    rig.settle_down();
    EXPECT_FALSE(answer);
    rig.ledger.held = false;
    rig.ledger.commit();
    rig.settle_down();
    if (!answer) return Error{Code::internal, "no answer came", ""};
    return std::move(*answer);
  }
  EngineRig rig;
};

TEST_F(CascadeTest, SilenceLeadsToTheNextChannel) {
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("a", Disposition::accepted);
  rig.answer("b", Disposition::accepted);
  MessageDraft m = EngineRig::draft("u");
  m.message.priority = Priority::critical;
  const MessageId id = rig.send(m);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  rig.pass(200'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(2));
  EXPECT_NE(rig.sent_over()[0], rig.sent_over()[1]);
  EXPECT_EQ(rig.channels.sent[0].parcel->message_id_text, rig.channels.sent[1].parcel->message_id_text);
  EXPECT_EQ(rig.counts(id).sent, 1u);
}

TEST_F(CascadeTest, AReceiptEndsTheCascade) {
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("a", Disposition::accepted);
  rig.answer("b", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.receipt(rig.sent_over()[0], rig.vendor_id_of(0));
  EXPECT_EQ(rig.status(id), "delivered");
  rig.pass(600'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  EXPECT_EQ(rig.engine->core().balance().timers, 0u);
}

TEST_F(CascadeTest, AReceiptCountsOnceWhoeverSaysItAgain) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.receipt("a", rig.vendor_id_of(0));
  rig.receipt("a", rig.vendor_id_of(0));
  EXPECT_EQ(report(id, "d", ReceiptEvent::delivered)->repeated, 1u);
  EXPECT_EQ(rig.counts(id).delivered, 1u);
  EXPECT_THAT(rig.delivery(id).receipts, SizeIs(1));
}

TEST_F(CascadeTest, OpenedFollowsDeliveredAndImpliesIt) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_EQ(report(id, "d", ReceiptEvent::opened)->counted, 1u);
  const MessageCounts c = rig.counts(id);
  EXPECT_EQ(c.delivered, 1u);
  EXPECT_EQ(c.opened, 1u);
  EXPECT_EQ(rig.status(id), "opened");
  rig.receipt("a", rig.vendor_id_of(0));  // the vendor's word comes later
  EXPECT_EQ(rig.status(id), "opened");
  EXPECT_EQ(rig.counts(id).delivered, 1u);
}

TEST_F(CascadeTest, ALateReceiptStillMovesSentToDelivered) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.pass(900'000);
  ASSERT_TRUE(rig.look(id)->complete);
  rig.receipt("a", rig.vendor_id_of(0));
  EXPECT_EQ(rig.status(id), "delivered");
  EXPECT_EQ(rig.counts(id).sent, 1u);
}

TEST_F(CascadeTest, AFinalFailureIsNotUndoneByAReceipt) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::rejected);
  const MessageId id = rig.send(EngineRig::draft("u"));
  ASSERT_EQ(rig.status(id), "failed");
  (void)report(id, "d", ReceiptEvent::delivered);
  EXPECT_EQ(rig.status(id), "failed");
  EXPECT_EQ(rig.counts(id).delivered, 0u);
}

TEST_F(CascadeTest, ReportsAboutUnknownMessagesAndDevicesAreCountedAsSuch) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_EQ(report(MessageId{1, 1}, "d", ReceiptEvent::delivered)->unknown, 1u);
  EXPECT_EQ(report(id, "stranger", ReceiptEvent::delivered)->unknown, 1u);
}

TEST_F(CascadeTest, AReportIsDurableBeforeItIsAnswered) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.ledger.held = true;
  bool answered = false;
  rig.engine->report_receipts("shop", {{id, "d", ReceiptEvent::delivered, 0}}, [&](auto) { answered = true; });
  rig.settle_down();
  EXPECT_FALSE(answered);
  rig.ledger.held = false;
  rig.ledger.commit();
  rig.settle_down();
  EXPECT_TRUE(answered);
}

TEST_F(CascadeTest, AVendorsEventWithTheSameIdIsDroppedWhenItComesAgain) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  ChannelEvent e;
  e.kind = ChannelEvent::Kind::receipt;
  e.channel = 0;
  e.message_id = id.text();
  e.address = "t-d-a";
  e.subkind = 8;
  e.event_id = "evt-1";
  rig.event(e);
  rig.event(e);
  EXPECT_EQ(rig.status(id), "opened");
  EXPECT_EQ(rig.engine->stats().repeated_receipts.value(), 1u);
}

TEST_F(CascadeTest, WhatMayHaveArrivedBeforeTheConnectionBrokeComesAgainWithTheNext) {
  rig.add_device("d", "u", {"own"});
  rig.presence("own", "d", true);
  rig.leave_open("own");
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.presence("own", "d", false);
  rig.settle(rig.channels.sent.at(0), EngineRig::outcome(Disposition::unknown));
  rig.pass(120'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(1)) << "nobody is there";
  rig.answer("own", Disposition::delivered);
  rig.presence("own", "d", true);
  EXPECT_THAT(rig.channels.sent, SizeIs(2));
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(CascadeTest, TheLastSilenceCountsLongBeforeTheReceiptIsGivenUp) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  for (int i = 0; i < 20; ++i) {
    rig.send(EngineRig::draft("u"));
    if (i % 2 == 0) rig.receipt("a", rig.vendor_id_of(rig.channels.sent.size() - 1));
  }
  rig.pass(60'000);
  routing::RateQuery query;
  query.from_ms = rig.clock.wall_ms() - 600'000;
  query.now_ms = rig.clock.wall_ms();
  const auto rates = rig.ask<RateView>([&](auto done) { rig.engine->rates(query, std::move(done)); });
  ASSERT_THAT(rates->rows, testing::SizeIs(1));
  EXPECT_DOUBLE_EQ(rates->rows[0].rate, 0.5);
}

TEST_F(CascadeTest, AReceiptThatOvertakesTheVendorsAnswerCounts) {
  rig.add_device("d", "u", {"a"});
  rig.leave_open("a");
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.receipt("a", "vendor-7");
  rig.receipt("a", "vendor-8");
  EXPECT_EQ(rig.status(id), "attempted");
  rig.settle(rig.channels.sent.at(0), EngineRig::outcome(Disposition::accepted, "vendor-7"));
  EXPECT_EQ(rig.status(id), "delivered");
  EXPECT_EQ(rig.engine->stats().unknown_receipts.value(), 0u);
  rig.pass(70'000);
  EXPECT_EQ(rig.engine->stats().unknown_receipts.value(), 1u) << "nothing was ever sent as vendor-8";
}

TEST_F(CascadeTest, AVendorsCallbackIsAnsweredWhenItsEventsAreDurable) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.channels.webhook = [&](const WebhookRequest& request) -> Result<WebhookReply> {
    WebhookReply reply;
    reply.body = "ok " + request.body;
    ChannelEvent e;
    e.kind = ChannelEvent::Kind::receipt;
    e.vendor_id = rig.vendor_id_of(0);
    e.subkind = 2;
    reply.events.push_back(e);
    return reply;
  };
  Broker::VendorCall call;
  call.channel = "a";
  call.body = "x";
  const auto answer = answered_when_durable(call);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "ok x");
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(CascadeTest, ACallbackAboutADeadTokenIsDurableBeforeItsAnswerToo) {
  rig.add_device("d", "u", {"a"});
  rig.channels.webhook = [&](const WebhookRequest&) -> Result<WebhookReply> {
    WebhookReply reply;
    ChannelEvent e;
    e.kind = ChannelEvent::Kind::token_invalid;
    e.address = "t-d-a";
    reply.events.push_back(e);
    return reply;
  };
  Broker::VendorCall call;
  call.channel = "a";
  const auto answer = answered_when_durable(call);
  EXPECT_TRUE(answer);
  EXPECT_EQ(rig.delivery(rig.send(EngineRig::draft("u"))).reason, "no_channel");
}

TEST_F(CascadeTest, AForgedCallbackIsRefused) {
  Broker::VendorCall call;
  call.channel = "a";
  const auto answer =
      rig.ask<Broker::CallbackAnswer>([&](auto done) { rig.engine->vendor_callback(call, std::move(done)); });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::forbidden);
}

TEST_F(CascadeTest, RoutingAllUsesEveryChannelAtOnceAndCountsOneDelivery) {
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("a", Disposition::accepted);
  rig.answer("b", Disposition::accepted);
  MessageDraft m = EngineRig::draft("u");
  m.message.routing = RoutingMode::all;
  const MessageId id = rig.send(m);
  EXPECT_THAT(rig.channels.sent, SizeIs(2));
  rig.receipt("b", rig.vendor_id_of(1));
  EXPECT_EQ(rig.counts(id).attempted, 1u);
  EXPECT_EQ(rig.counts(id).delivered, 1u);
  EXPECT_TRUE(rig.look(id)->complete);
}

TEST_F(CascadeTest, RoutingOrderedFollowsTheCallersOrder) {
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("a", Disposition::unreachable);
  rig.answer("b", Disposition::unreachable);
  MessageDraft m = EngineRig::draft("u");
  m.message.routing = RoutingMode::ordered;
  m.message.channels = {"b", "a"};
  rig.send(m);
  EXPECT_THAT(rig.sent_over(), ElementsAre("b", "a"));
}

TEST_F(CascadeTest, RoutingOrderedWithoutChannelsFollowsTheAppsOrder) {
  rig.engine->reconfigure({{"shop", {"b", "a"}}});
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("a", Disposition::unreachable);
  rig.answer("b", Disposition::unreachable);
  MessageDraft m = EngineRig::draft("u");
  m.message.routing = RoutingMode::ordered;
  rig.send(m);
  EXPECT_THAT(rig.sent_over(), ElementsAre("b", "a"));
}

TEST_F(CascadeTest, AMessageKeepsToItsChannels) {
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("b", Disposition::unreachable);
  MessageDraft m = EngineRig::draft("u");
  m.message.channels = {"b"};
  const MessageId id = rig.send(m);
  EXPECT_THAT(rig.sent_over(), ElementsAre("b"));
  EXPECT_EQ(rig.status(id), "failed");
}

// ---- Our own connection

TEST_F(CascadeTest, WhatComesWhileTheDeviceIsAwayIsSentWhenItConnectsUrgentFirst) {
  rig.add_device("d", "u", {"own"});
  rig.answer("own", Disposition::delivered);
  MessageDraft low = EngineRig::draft("u"), high = EngineRig::draft("u");
  low.message.priority = Priority::low;
  high.message.priority = Priority::critical;
  const MessageId a = rig.send(low), b = rig.send(high);
  rig.pass(60'000);
  EXPECT_EQ(rig.status(a), "planned");
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  rig.presence("own", "d", true);
  ASSERT_THAT(rig.channels.sent, SizeIs(2));
  EXPECT_EQ(rig.channels.sent[0].parcel->message->id, b);
  EXPECT_EQ(rig.channels.sent[0].to().address, "shop/d");
  EXPECT_EQ(rig.status(a), "delivered");
  EXPECT_EQ(rig.delivery(a).receipts[0].kind, ReceiptSource::device);
}

TEST_F(CascadeTest, ADeviceThatNeverComesLetsTheMessageExpire) {
  rig.add_device("d", "u", {"own"});
  MessageDraft m = EngineRig::draft("u");
  m.message.ttl_ms = 30'000;
  const MessageId id = rig.send(m);
  rig.pass(31'000);
  EXPECT_EQ(rig.status(id), "expired");
  rig.presence("own", "d", true);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
}

TEST_F(CascadeTest, AnOnlineDeviceGetsItAtOnce) {
  rig.add_device("d", "u", {"own"});
  rig.answer("own", Disposition::delivered);
  rig.presence("own", "d", true);
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(CascadeTest, AConnectionThatBreaksDuringTheSendWaitsForTheNextOne) {
  rig.add_device("d", "u", {"own"});
  rig.answer("own", Disposition::unreachable);
  rig.presence("own", "d", true);
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  rig.pass(10'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  rig.answer("own", Disposition::delivered);
  rig.presence("own", "d", true);
  EXPECT_EQ(rig.status(id), "delivered");
}

// Once, a device that lost its connection before it acknowledged and was still away when the retry came got it never
// again.
TEST_F(CascadeTest, WhatWasNotAcknowledgedIsSentAgainWhenTheDeviceComesBackAfterTheRetry) {
  rig.add_device("d", "u", {"own"});
  rig.answer("own", Disposition::unknown);
  rig.presence("own", "d", true);
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  rig.presence("own", "d", false);
  rig.pass(60'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  rig.answer("own", Disposition::delivered);
  rig.presence("own", "d", true);
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(CascadeTest, WhatAVendorTookWithoutAReceiptIsSentAgainWhenTheDeviceConnects) {
  rig.add_device("d", "u", {"a", "own"});
  rig.answer("a", Disposition::accepted);
  rig.answer("own", Disposition::delivered);
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_THAT(rig.sent_over(), ElementsAre("a"));
  rig.pass(1'200'000);
  EXPECT_EQ(rig.status(id), "sent");
  EXPECT_FALSE(rig.look(id)->complete);
  rig.presence("own", "d", true);
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(CascadeTest, AfterAPresenceResetNobodyIsOnlineUntilAnnouncedAgain) {
  rig.add_device("d", "u", {"own"});
  rig.answer("own", Disposition::delivered);
  rig.presence("own", "d", true);
  ChannelEvent reset;
  reset.kind = ChannelEvent::Kind::presence_reset;
  reset.channel = 2;
  rig.event(reset);
  rig.send(EngineRig::draft("u"));
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  rig.presence("own", "d", true);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
}

TEST_F(CascadeTest, AnOlderPresenceEventChangesNothing) {
  rig.add_device("d", "u", {"own"});
  rig.answer("own", Disposition::delivered);
  rig.presence("own", "d", true);
  ChannelEvent old;
  old.kind = ChannelEvent::Kind::presence;
  old.channel = 2;
  old.address = "shop/d";
  old.seq = 0;
  rig.event(old);
  rig.send(EngineRig::draft("u"));
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
}

// ---- Inbox

class InboxTest : public CascadeTest {
 protected:
  Result<Broker::InboxPage> poll(const std::string& after = {}, unsigned limit = 0) {
    return rig.ask<Broker::InboxPage>(
        [&](auto done) { rig.engine->inbox("shop", "d", after, 0, limit, std::move(done)); });
  }
};

TEST_F(InboxTest, HasWhatIsNotAcknowledgedYetInOrder) {
  rig.add_device("d", "u", {"own"});
  const MessageId a = rig.send(EngineRig::draft("u")), b = rig.send(EngineRig::draft("u"));
  const auto page = poll();
  ASSERT_THAT(page->items, SizeIs(2));
  EXPECT_EQ(page->items[0].message->id, a);
  EXPECT_EQ(page->items[1].message->id, b);
  EXPECT_THAT(poll(page->cursor)->items, SizeIs(0));
  EXPECT_THAT(poll({}, 1)->items, SizeIs(1));
  EXPECT_EQ(poll(poll({}, 1)->cursor)->items[0].message->id, b);
  EXPECT_EQ(report(a, "d", ReceiptEvent::delivered)->counted, 1u);
  EXPECT_THAT(poll()->items, SizeIs(1));
  EXPECT_EQ(rig.status(a), "delivered");
}

TEST_F(InboxTest, ALongPollWakesWhenSomethingComes) {
  rig.add_device("d", "u", {"own"});
  std::optional<Result<Broker::InboxPage>> page;
  rig.engine->inbox("shop", "d", "", 30'000, 0, [&](auto p) { page = std::move(p); });
  rig.pass(5'000);
  EXPECT_FALSE(page);
  rig.send(EngineRig::draft("u"));
  ASSERT_TRUE(page);
  EXPECT_THAT((**page).items, SizeIs(1));
}

TEST_F(InboxTest, ALongPollEndsEmptyWhenItsTimeIsOver) {
  rig.add_device("d", "u", {"own"});
  std::optional<Result<Broker::InboxPage>> page;
  rig.engine->inbox("shop", "d", "", 2'000, 0, [&](auto p) { page = std::move(p); });
  rig.pass(2'100);
  ASSERT_TRUE(page);
  EXPECT_THAT((**page).items, SizeIs(0));
}

TEST_F(InboxTest, AnExpiredMessageIsGone) {
  rig.add_device("d", "u", {"own"});
  MessageDraft m = EngineRig::draft("u");
  m.message.ttl_ms = 1'000;
  rig.send(m);
  rig.pass(1'100);
  EXPECT_THAT(poll()->items, SizeIs(0));
}

TEST_F(InboxTest, AnUnknownDeviceIsNotFound) {
  EXPECT_EQ(poll().error().code, Code::not_found);
}

// ---- A server in between, which tells of some devices only

TEST_F(CascadeTest, ADeviceThatTheServerNeverSpokeOfIsTried) {
  rig.add_device("d", "u", {"server"});
  rig.answer("server", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_THAT(rig.sent_over(), ElementsAre("server"));
  EXPECT_EQ(rig.status(id), "sent");
}

TEST_F(CascadeTest, ADeviceThatTheServerDidNotFindIsWaitedFor) {
  rig.add_device("d", "u", {"server"});
  rig.answer("server", Disposition::unreachable);
  const MessageId first = rig.send(EngineRig::draft("u")), second = rig.send(EngineRig::draft("u"));
  rig.pass(60'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  rig.answer("server", Disposition::accepted);
  rig.presence("server", "d", true);
  EXPECT_THAT(rig.channels.sent, SizeIs(3));
  EXPECT_EQ(rig.status(first), "sent");
  EXPECT_EQ(rig.status(second), "sent");
}

TEST_F(CascadeTest, WhatTheServerTookAndTheDeviceNeverConfirmedIsSentAgainWhenItComesBack) {
  rig.add_device("d", "u", {"server"});
  rig.presence("server", "d", true);
  rig.answer("server", Disposition::accepted);
  const MessageId first = rig.send(EngineRig::draft("u"));
  rig.receipt("server", rig.vendor_id_of(0), 2, true);
  const MessageId lost = rig.send(EngineRig::draft("u"));
  rig.pass(1'000);
  rig.presence("server", "d", false);  // the server notices late that the connection was dead
  rig.pass(1'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(2));
  rig.presence("server", "d", true);
  ASSERT_THAT(rig.channels.sent, SizeIs(3)) << "the one that was confirmed is not repeated";
  EXPECT_EQ(rig.channels.sent[2].parcel->message->id, lost);
  rig.receipt("server", rig.vendor_id_of(2), 2, true);
  rig.presence("server", "d", false);
  rig.presence("server", "d", true);
  EXPECT_THAT(rig.channels.sent, SizeIs(3));
  EXPECT_EQ(rig.status(first), "delivered");
  EXPECT_EQ(rig.status(lost), "delivered");
}

TEST_F(CascadeTest, ADeviceThatNeverConfirmsAnythingIsNotSentTheSameAtEachReturn) {
  rig.add_device("d", "u", {"server"});
  rig.presence("server", "d", true);
  rig.answer("server", Disposition::accepted);
  rig.send(EngineRig::draft("u"));
  rig.pass(1'000);
  for (const bool online : {false, true, false, true}) rig.presence("server", "d", online);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
}

TEST_F(CascadeTest, WhatWasCancelledIsNotSentAgainToADeviceThatComesBack) {
  rig.add_device("d", "u", {"server"});
  rig.presence("server", "d", true);
  rig.answer("server", Disposition::accepted);
  rig.send(EngineRig::draft("u"));
  rig.receipt("server", rig.vendor_id_of(0), 2, true);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.pass(1'000);
  rig.presence("server", "d", false);
  EXPECT_TRUE(rig.ask<CancelAnswer>([&](auto done) { rig.engine->cancel_message("shop", id, std::move(done)); }));
  rig.presence("server", "d", true);
  EXPECT_THAT(rig.channels.sent, SizeIs(2));
}

TEST_F(CascadeTest, WhatWasSaidOfAnOldTokenDoesNotHoldForTheNext) {
  Device device = rig.add_device("d", "u", {"server"});
  rig.presence("server", "d", false);
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  rig.answer("server", Disposition::accepted);
  device.channels.at(0).token = "another";
  EXPECT_TRUE(rig.ask<DeviceAnswer>([&](auto done) { rig.engine->put_device(device, std::move(done)); }));
  EXPECT_THAT(rig.sent_over(), ElementsAre("server"));
  EXPECT_EQ(rig.status(id), "sent");
}

}  // namespace
}  // namespace godwit
