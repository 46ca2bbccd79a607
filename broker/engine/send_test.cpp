// From acceptance to the first channel and its answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SendTest : public testing::Test {
 protected:
  SendTest() {
    rig.channels.add("vendor", EngineRig::vendor_caps());
    rig.channels.add("blind", EngineRig::blind_caps());
    rig.boot();
  }
  EngineRig rig;
};

TEST_F(SendTest, AMessageGoesToTheUsersDeviceAndIsSent) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.answer("vendor", Disposition::accepted);
  const auto answer = rig.accept(EngineRig::draft("u1"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->recipients, 1u);
  ASSERT_EQ(rig.channels.sent.size(), 1u);
  EXPECT_EQ(rig.channels.sent[0].to().address, "t-d1-vendor");
  EXPECT_EQ(rig.channels.sent[0].to().user_id, "u1");
  EXPECT_EQ(rig.channels.sent[0].parcel->message_id_text, answer->id.text());
  EXPECT_EQ(rig.status(answer->id), "sent");
  EXPECT_FALSE(rig.look(answer->id)->complete);  // a receipt may come
}

TEST_F(SendTest, NothingIsSentBeforeTheMessageIsDurable) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.ledger.held = true;
  bool answered = false;
  std::vector<MessageDraft> drafts;
  drafts.push_back(EngineRig::draft("u1"));
  rig.engine->accept(std::move(drafts), [&](auto) { answered = true; });
  rig.settle_down();
  EXPECT_FALSE(answered);
  EXPECT_THAT(rig.channels.sent, IsEmpty());
  rig.ledger.held = false;
  rig.ledger.commit();
  rig.settle_down();
  EXPECT_TRUE(answered);
  EXPECT_EQ(rig.channels.sent.size(), 1u);
}

TEST_F(SendTest, AFailedWriteIsAnErrorAndNothingIsSent) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.journal.fail_next_append(AppendFault::failed);
  const auto answer = rig.accept(EngineRig::draft("u1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::no_space);
  EXPECT_THAT(rig.channels.sent, IsEmpty());
}

TEST_F(SendTest, AWriteOfUnknownFateIsNeverAnsweredAsEither) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.journal.fail_next_append(AppendFault::unknown_kept);
  const auto answer = rig.accept(EngineRig::draft("u1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
  EXPECT_TRUE(rig.engine->poisoned());
  EXPECT_EQ(rig.accept(EngineRig::draft("u1")).error().code, Code::unavailable);
}

TEST_F(SendTest, AUserWithoutDevicesIsSuppressedAndSaysSo) {
  const auto answer = rig.accept(EngineRig::draft("nobody"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->recipients, 0u);
  EXPECT_EQ(answer->state, DeliveryState::suppressed);
  const auto view = rig.look(answer->id);
  EXPECT_EQ(view->status, "suppressed");
  EXPECT_TRUE(view->complete);
  EXPECT_EQ(view->counts.suppressed, 1u);
  EXPECT_EQ(rig.delivery(answer->id).reason, "no_device");
  EXPECT_EQ(rig.delivery(answer->id).user_id, "nobody");
}

TEST_F(SendTest, ADeviceNamedTwiceGetsItOnce) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.add_device("d2", "u1", {"vendor"});
  MessageDraft m = EngineRig::draft("");
  m.message.to = {AudienceKind::users, "", {"u1", "u1", "ghost"}};
  const auto answer = rig.accept(m);
  EXPECT_EQ(answer->recipients, 2u);
  EXPECT_EQ(rig.channels.sent.size(), 2u);
  EXPECT_EQ(rig.counts(answer->id).suppressed, 1u);
  m.message.to = {AudienceKind::devices, "", {"d2", "d2", "d1"}};
  EXPECT_EQ(rig.accept(m)->recipients, 2u);
}

TEST_F(SendTest, ADeviceWithoutAUsableChannelFailsAtOnce) {
  rig.add_device("d1", "u1", {});
  const MessageId id = rig.send(EngineRig::draft("u1"));
  EXPECT_EQ(rig.status(id), "failed");
  EXPECT_EQ(rig.delivery(id).reason, "no_channel");
}

TEST_F(SendTest, AChannelThatTellsNothingEndsAsSent) {
  rig.add_device("d1", "u1", {"blind"});
  rig.answer("blind", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u1"));
  EXPECT_EQ(rig.status(id), "sent");
  EXPECT_TRUE(rig.look(id)->complete);
}

TEST_F(SendTest, ADeliveredOutcomeIsAReceipt) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.answer("vendor", Disposition::delivered);
  const MessageId id = rig.send(EngineRig::draft("u1"));
  const MessageCounts c = rig.counts(id);
  EXPECT_EQ(c.accepted, 1u);
  EXPECT_EQ(c.attempted, 1u);
  EXPECT_EQ(c.sent, 1u);
  EXPECT_EQ(c.delivered, 1u);
  EXPECT_TRUE(rig.look(id)->complete);
  const auto d = rig.delivery(id);
  ASSERT_EQ(d.receipts.size(), 1u);
  EXPECT_EQ(d.receipts[0].kind, ReceiptSource::vendor);
  EXPECT_EQ(d.attempts[0].result, "delivered");
  EXPECT_FALSE(d.attempts[0].why.empty());
}

TEST_F(SendTest, AReceiptThatNeverComesLeavesItSent) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.answer("vendor", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u1"));
  rig.pass(900'000);
  const auto view = rig.look(id);
  EXPECT_EQ(view->status, "sent");
  EXPECT_TRUE(view->complete);
}

TEST_F(SendTest, ATokenThatNobodyRegisteredIsSentToAsItIs) {
  rig.answer("vendor", Disposition::accepted);
  MessageDraft m = EngineRig::draft("");
  m.message.to = {AudienceKind::token, "vendor", {"raw-token"}};
  const MessageId id = rig.send(m);
  ASSERT_EQ(rig.channels.sent.size(), 1u);
  EXPECT_EQ(rig.channels.sent[0].to().address, "raw-token");
  EXPECT_EQ(rig.status(id), "sent");
  rig.receipt("vendor", rig.vendor_id_of(0));
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(SendTest, ARawTokenIsTriedAgainAfterTemporaryFailures) {
  int calls = 0;
  rig.channels.channels[0].script = [&](const FakeChannels::Sent&) {
    return EngineRig::outcome(++calls < 5 ? Disposition::retry : Disposition::accepted);
  };
  MessageDraft m = EngineRig::draft("");
  m.message.to = {AudienceKind::token, "vendor", {"raw-token"}};
  const MessageId id = rig.send(m);
  rig.pass(200'000);
  EXPECT_EQ(calls, 5);
  EXPECT_EQ(rig.status(id), "sent");
}

TEST_F(SendTest, MoreUrgentMessagesLeaveTheQueueFirst) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.channels.channels[0].credit = 0;
  for (const Priority p : {Priority::low, Priority::normal, Priority::critical, Priority::high}) {
    MessageDraft m = EngineRig::draft("u1");
    m.message.priority = p;
    rig.send(m);
  }
  EXPECT_THAT(rig.channels.sent, IsEmpty());
  rig.channels.channels[0].credit = 10;
  rig.settle_down();
  std::vector<Priority> order;
  for (const auto& s : rig.channels.sent) order.push_back(s.parcel->message->priority);
  EXPECT_THAT(order, ElementsAre(Priority::critical, Priority::high, Priority::normal, Priority::low));
}

TEST_F(SendTest, ASubmitThatIsRefusedIsTriedAgainInOrder) {
  rig.add_device("d1", "u1", {"vendor"});
  rig.channels.refuse_submit = true;
  const MessageId a = rig.send(EngineRig::draft("u1")), b = rig.send(EngineRig::draft("u1"));
  rig.channels.refuse_submit = false;
  rig.settle_down();
  ASSERT_EQ(rig.channels.sent.size(), 2u);
  EXPECT_EQ(rig.channels.sent[0].parcel->message->id, a);
  EXPECT_EQ(rig.channels.sent[1].parcel->message->id, b);
}

TEST_F(SendTest, ASilentMessageGoesOnlyWhereThatIsPossible) {
  ChannelCaps loud = EngineRig::vendor_caps();
  loud.silent = false;
  EngineRig other;
  other.channels.add("loud", loud);
  other.channels.add("vendor", EngineRig::vendor_caps());
  other.boot();
  other.add_device("d1", "u1", {"loud", "vendor"});
  MessageDraft m = EngineRig::draft("u1");
  m.message.silent = true;
  other.send(m);
  EXPECT_THAT(other.sent_over(), ElementsAre("vendor"));
}

TEST_F(SendTest, AMessageOfAnotherAppIsNotFound) {
  rig.add_device("d1", "u1", {"vendor"});
  const MessageId id = rig.send(EngineRig::draft("u1"));
  EXPECT_FALSE(rig.look(id, "news"));
}

TEST_F(SendTest, OneParcelCarriesTheMessageToManyWhereTheChannelCanDoThat) {
  EngineRig many;
  ChannelCaps caps = EngineRig::vendor_caps();
  caps.multicast = true;
  caps.max_targets = 3;
  many.channels.add("multi", caps);
  many.boot();
  for (int i = 0; i < 5; ++i) many.add_device("d" + std::to_string(i), "u1", {"multi"});
  many.channels.channels[0].script = [](const FakeChannels::Sent& s) {
    return EngineRig::outcome(s.target == 1 ? Disposition::rejected : Disposition::delivered);
  };
  const MessageId id = many.send(EngineRig::draft("u1"));
  ASSERT_EQ(many.channels.sent.size(), 5u);
  EXPECT_EQ(many.channels.sent[0].parcel->targets.size(), 3u);
  EXPECT_EQ(many.channels.sent[3].parcel->targets.size(), 2u);
  EXPECT_EQ(many.counts(id).delivered, 3u);
  EXPECT_EQ(many.counts(id).failed, 2u);
  EXPECT_EQ(many.engine->core().balance().flights, 0u);
}

TEST_F(SendTest, AReceiptForOneTargetOfACallCountsForThatDeviceOnly) {
  EngineRig many;
  ChannelCaps caps = EngineRig::vendor_caps();
  caps.multicast = true;
  caps.max_targets = 10;
  many.channels.add("multi", caps);
  many.boot();
  for (int i = 0; i < 3; ++i) many.add_device("d" + std::to_string(i), "u1", {"multi"});
  many.channels.channels[0].script = [](const FakeChannels::Sent&) {
    Settlement s = EngineRig::outcome(Disposition::accepted);
    s.vendor_id = "one-id-for-all";
    return s;
  };
  const MessageId id = many.send(EngineRig::draft("u1"));
  const auto receipt_of = [&](const std::string& address) {
    ChannelEvent e;
    e.kind = ChannelEvent::Kind::receipt;
    e.subkind = 2;
    e.vendor_id = "one-id-for-all";
    e.address = address;
    many.event(e);
  };
  receipt_of(many.channels.sent[1].to().address);
  EXPECT_EQ(many.counts(id).delivered, 1u);
  EXPECT_EQ(many.deliveries(id, "d1")[0].state, DeliveryState::delivered);
  EXPECT_EQ(many.deliveries(id, "d2")[0].state, DeliveryState::sent);
  receipt_of("a token that nobody has");
  EXPECT_EQ(many.counts(id).delivered, 1u);
  receipt_of(many.channels.sent[0].to().address);
  receipt_of(many.channels.sent[2].to().address);
  EXPECT_EQ(many.counts(id).delivered, 3u);
}

}  // namespace
}  // namespace godwit
