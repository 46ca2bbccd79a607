// A cancel that comes when a vendor has the message already: the channel is asked to take it back, and what it answered
// is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class RecallTest : public testing::Test {
 protected:
  void SetUp() override {
    ChannelCaps caps = EngineRig::vendor_caps();
    caps.recall = caps.multicast = true;
    caps.max_targets = 100;
    rig.channels.add("mi", caps);
    rig.channels.add("other", EngineRig::vendor_caps());
    rig.boot();
  }
  CancelAnswer cancel(MessageId id) {
    return *rig.ask<CancelAnswer>([&](auto done) { rig.engine->cancel_message("shop", id, std::move(done)); });
  }
  void answer(RecallEnd end, std::string detail = {}) {
    auto recall = std::move(rig.channels.recalls.front());
    rig.channels.recalls.pop_front();
    recall.done({end, std::move(detail)});
    rig.settle_down();
  }
  const RecallWish& wish() { return rig.channels.recalls.front().wish; }
  MessageId sent(MessageDraft m) {
    const MessageId id = rig.send(std::move(m));
    rig.settle(rig.channels.sent.back(), EngineRig::outcome(Disposition::accepted, "v1"));
    return id;
  }
  MessageId sent_over(const std::string& channel) {
    rig.add_device("d", "u", {channel});
    return sent(EngineRig::draft("u"));
  }
  // A message to d0, d1 and d2 that went out as one call.
  MessageId sent_to_three() {
    for (int i = 0; i < 3; ++i) rig.add_device("d" + std::to_string(i), "u", {"mi"});
    const MessageId id = rig.send(EngineRig::draft("u"));
    EXPECT_EQ(rig.channels.sent.size(), 3u);
    for (size_t i = 0; i < 3; ++i) rig.settle(rig.channels.sent[i], EngineRig::outcome(Disposition::accepted, "v1"));
    return id;
  }
  EngineRig rig;
};

TEST_F(RecallTest, WhatAVendorHasTakenIsAskedBackAndTheAnswerIsTold) {
  const MessageId id = sent_over("mi");
  const CancelAnswer c = cancel(id);
  EXPECT_EQ(c.cancelled, 0u);
  EXPECT_EQ(c.already_out, 1u);
  EXPECT_EQ(c.recalling, 1u);
  ASSERT_THAT(rig.channels.recalls, SizeIs(1));
  EXPECT_EQ(wish().message_id, id.text());
  EXPECT_EQ(wish().vendor_id, "v1");
  EXPECT_EQ(wish().target.address, "t-d-mi");
  EXPECT_EQ(rig.delivery(id).reason, "recall_asked");
  answer(RecallEnd::taken);
  EXPECT_EQ(rig.status(id), "sent");  // it was; nobody knows whether the phone had shown it
  EXPECT_EQ(rig.delivery(id).reason, "recalled");
  EXPECT_THAT(rig.delivery(id).attempts[0].vendor_detail, HasSubstr("recall taken"));
  EXPECT_EQ(rig.look(id)->recalls.asked, 1u);
  EXPECT_EQ(rig.look(id)->recalls.taken, 1u);
}

TEST_F(RecallTest, ARecallThatFailsSaysSoInTheVendorsWords) {
  const MessageId id = sent_over("mi");
  cancel(id);
  answer(RecallEnd::too_late, "message id not found");
  EXPECT_EQ(rig.delivery(id).reason, "recall_failed");
  EXPECT_THAT(rig.delivery(id).attempts[0].vendor_detail, HasSubstr("too late: message id not found"));
  EXPECT_EQ(rig.look(id)->recalls.failed, 1u);
}

TEST_F(RecallTest, ADeliveredMessageIsTakenBackFromTheScreen) {
  const MessageId id = sent_over("mi");
  rig.receipt("mi", "v1");
  ASSERT_TRUE(rig.look(id)->complete);
  EXPECT_EQ(cancel(id).recalling, 1u);
  answer(RecallEnd::taken);
  EXPECT_EQ(rig.status(id), "delivered");
  EXPECT_EQ(rig.delivery(id).reason, "recalled");
}

TEST_F(RecallTest, AnOpenedMessageIsNotAskedBack) {
  const MessageId id = sent_over("mi");
  rig.receipt("mi", "v1", 8);
  EXPECT_EQ(cancel(id).recalling, 0u);
  EXPECT_THAT(rig.channels.recalls, SizeIs(0));
}

TEST_F(RecallTest, AChannelThatCannotRecallIsNotAsked) {
  const MessageId id = sent_over("other");
  EXPECT_EQ(cancel(id).recalling, 0u);
  EXPECT_EQ(rig.delivery(id).reason, "");
}

TEST_F(RecallTest, ACancelBetweenSendingAndAnswerRecallsOnceTheVendorHasTakenIt) {
  rig.add_device("d", "u", {"mi"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_EQ(cancel(id).recalling, 0u);
  rig.settle(rig.channels.sent[0], EngineRig::outcome(Disposition::accepted, "v1"));
  ASSERT_THAT(rig.channels.recalls, SizeIs(1));
  answer(RecallEnd::taken);
  EXPECT_EQ(rig.delivery(id).reason, "recalled");
}

TEST_F(RecallTest, ASecondCancelAsksNobodyAgain) {
  const MessageId id = sent_over("mi");
  cancel(id);
  answer(RecallEnd::taken);
  EXPECT_EQ(cancel(id).recalling, 0u);
  EXPECT_THAT(rig.channels.recalls, SizeIs(0));
}

TEST_F(RecallTest, TheCollapseKeyGoesAlongBecauseThePhoneShowsItUnderThat) {
  rig.add_device("d", "u", {"mi"});
  MessageDraft m = EngineRig::draft("u");
  m.message.collapse_key = "order\"1";
  cancel(sent(std::move(m)));
  EXPECT_THAT(wish().target.extra, HasSubstr(R"("collapse_key":"order\"1"})"));
}

TEST_F(RecallTest, OneCallToManyComesBackAsOne) {
  const MessageId id = sent_to_three();
  EXPECT_EQ(cancel(id).recalling, 3u);
  ASSERT_THAT(rig.channels.recalls, SizeIs(1));
  EXPECT_TRUE(wish().everybody);
  answer(RecallEnd::taken);
  for (const DeliveryView& d : rig.deliveries(id)) EXPECT_EQ(d.reason, "recalled");
}

TEST_F(RecallTest, AChannelThatTakesBackByTargetIsAskedForEachTarget) {
  const MessageId id = sent_to_three();
  cancel(id);
  answer(RecallEnd::unsupported);
  ASSERT_THAT(rig.channels.recalls, SizeIs(3));
  EXPECT_FALSE(wish().everybody);
  answer(RecallEnd::taken);
  answer(RecallEnd::refused, "no");
  answer(RecallEnd::taken);
  EXPECT_EQ(rig.look(id)->recalls.taken, 2u);
  EXPECT_EQ(rig.look(id)->recalls.failed, 1u);
}

TEST_F(RecallTest, AVendorThatIsBusyIsAskedAgainButNotForEver) {
  const MessageId id = sent_over("mi");
  cancel(id);
  answer(RecallEnd::later);
  EXPECT_THAT(rig.channels.recalls, SizeIs(0));
  rig.pass(2'500);
  ASSERT_THAT(rig.channels.recalls, SizeIs(1));
  answer(RecallEnd::later);
  rig.pass(5'000);
  ASSERT_THAT(rig.channels.recalls, SizeIs(1));
  answer(RecallEnd::later, "busy");
  rig.pass(60'000);
  EXPECT_THAT(rig.channels.recalls, SizeIs(0));
  EXPECT_EQ(rig.delivery(id).reason, "recall_failed");
}

TEST_F(RecallTest, WhileTheChannelIsDownTheRecallWaits) {
  const MessageId id = sent_over("mi");
  rig.channels.channels[0].status.state = ChannelState::down;
  rig.pass(1'000);
  cancel(id);
  rig.pass(60'000);
  EXPECT_THAT(rig.channels.recalls, SizeIs(0));
  rig.channels.channels[0].status.state = ChannelState::ready;
  rig.pass(1'000);
  ASSERT_THAT(rig.channels.recalls, SizeIs(1));
  answer(RecallEnd::taken);
  EXPECT_EQ(rig.delivery(id).reason, "recalled");
}

TEST_F(RecallTest, ACrashBeforeTheAnswerAsksAgainAndOneAfterItDoesNot) {
  const MessageId id = sent_over("mi");
  cancel(id);
  rig.crash();
  ASSERT_THAT(rig.channels.recalls, SizeIs(1));
  EXPECT_EQ(rig.delivery(id).reason, "recall_asked");
  answer(RecallEnd::taken);
  rig.crash();
  EXPECT_THAT(rig.channels.recalls, SizeIs(0));
  EXPECT_EQ(rig.delivery(id).reason, "recalled");
}

TEST_F(RecallTest, OfMessagesThatSharedACallOnlyTheCancelledOneIsAskedBack) {
  rig.add_device("d1", "u1", {"mi"});
  rig.add_device("d2", "u2", {"mi"});
  const MessageId kept = sent(EngineRig::draft("u1")), stopped = sent(EngineRig::draft("u2"));  // both are "v1"
  EXPECT_EQ(cancel(stopped).recalling, 1u);
  ASSERT_THAT(rig.channels.recalls, SizeIs(1));
  EXPECT_FALSE(wish().everybody);
  EXPECT_EQ(wish().target.address, "t-d2-mi");
  answer(RecallEnd::taken);
  EXPECT_EQ(rig.delivery(kept).reason, "");
}

TEST_F(RecallTest, ManyRecallsGoOutLittleByLittle) {
  for (int i = 0; i < 100; ++i) rig.add_device("d" + std::to_string(i), "u" + std::to_string(i), {"mi"});
  std::vector<MessageId> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(rig.send(EngineRig::draft("u" + std::to_string(i))));
  for (size_t i = 0; i < rig.channels.sent.size(); ++i)
    rig.settle(rig.channels.sent[i], EngineRig::outcome(Disposition::accepted, rig.vendor_id_of(i)));
  for (const MessageId id : ids) cancel(id);
  EXPECT_THAT(rig.channels.recalls, SizeIs(64));
  for (int i = 0; i < 100; ++i) answer(RecallEnd::taken);
  EXPECT_THAT(rig.channels.recalls, SizeIs(0));
  for (const MessageId id : ids) EXPECT_EQ(rig.delivery(id).reason, "recalled");
}

}  // namespace
}  // namespace godwit
