// What each disposition does: again, later, elsewhere, or the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

using testing::ElementsAre;

class SettleTest : public testing::Test {
 protected:
  void SetUp() override {
    rig.channels.add("a", EngineRig::vendor_caps());
    rig.channels.add("b", EngineRig::vendor_caps());
    rig.boot();
    rig.add_device("d1", "u1", {"a"});
    rig.add_device("d2", "u2", {"a", "b"});
  }
  // Which channel is first is the router's choice; the tests talk of "that one" and "the other one".
  std::string first() const { return rig.sent_over().at(0); }
  static std::string other(const std::string& name) { return name == "a" ? "b" : "a"; }

  EngineRig rig;
};

TEST_F(SettleTest, AReceiptOfACallThatCarriedSeveralMessagesCountsForTheOneThatItNames) {
  const MessageId first = rig.send(EngineRig::draft("u1")), second = rig.send(EngineRig::draft("u1"));
  for (size_t i = 0; i < 2; ++i) rig.settle(rig.channels.sent[i], EngineRig::outcome(Disposition::accepted, "shared"));
  ChannelEvent e;
  e.kind = ChannelEvent::Kind::receipt;
  e.channel = 0;
  e.vendor_id = "shared";
  e.message_id = first.text();
  e.address = "t-d1-a";
  e.subkind = 2;
  rig.event(e);
  EXPECT_EQ(rig.status(first), "delivered");
  EXPECT_EQ(rig.status(second), "sent");
}

TEST_F(SettleTest, ATemporaryFailureIsTriedAgainAfterABackOff) {
  int calls = 0;
  rig.channels.channels[0].script = [&](const FakeChannels::Sent&) {
    return EngineRig::outcome(++calls < 3 ? Disposition::retry : Disposition::delivered);
  };
  const MessageId id = rig.send(EngineRig::draft("u1"));
  EXPECT_EQ(calls, 1);
  rig.pass(1'500);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(rig.status(id), "delivered");
  const auto attempts = rig.delivery(id).attempts;
  ASSERT_EQ(attempts.size(), 3u);
  EXPECT_EQ(attempts[0].result, "retry");
  EXPECT_EQ(attempts[2].number, 3u);
  EXPECT_EQ(rig.channels.sent[2].parcel->attempt, 3u);
}

TEST_F(SettleTest, AfterThreeTriesTheNextChannelTakesOver) {
  for (auto& channel : rig.channels.channels)
    channel.script = [](const FakeChannels::Sent&) { return EngineRig::outcome(Disposition::retry); };
  rig.send(EngineRig::draft("u2"));
  const std::string one = first();
  rig.answer(other(one), Disposition::delivered);
  rig.pass(3'000);
  EXPECT_THAT(rig.sent_over(), ElementsAre(one, one, one, other(one)));
}

TEST_F(SettleTest, AChannelThatFailsToTheEndFailsTheDeliveryWithAReason) {
  rig.answer("a", Disposition::retry);
  const MessageId id = rig.send(EngineRig::draft("u1"));
  rig.pass(3'000'000);
  EXPECT_EQ(rig.status(id), "failed");
  EXPECT_EQ(rig.delivery(id).reason, "tries_used_up");
  EXPECT_EQ(rig.channels.sent.size(), 5u);
  EXPECT_EQ(rig.engine->stats().final_system_failures.value(), 1u);
}

TEST_F(SettleTest, RetriesStopWhenTheTokensAreUsedUp) {
  EngineOptions few;
  few.retry_tokens = {.per_success = 0.1, .per_second = 0, .cap = 2};
  EngineRig small(few);
  small.channels.add("a", EngineRig::vendor_caps());
  small.boot();
  for (int i = 0; i < 4; ++i) small.add_device("d" + std::to_string(i), "u" + std::to_string(i), {"a"});
  small.answer("a", Disposition::retry);
  for (int i = 0; i < 4; ++i) small.send(EngineRig::draft("u" + std::to_string(i)));
  small.pass(5'000);
  EXPECT_LE(small.engine->stats().retries.value(), 2u);
  EXPECT_GT(small.engine->stats().retries_refused.value(), 0u);
}

// A server that broke its connections under hundreds of pushes left some of them open to the end of their time.
TEST_F(SettleTest, WhatMayHaveArrivedGoesAgainWhenTimeHasPaidForIt) {
  EngineOptions few;
  few.retry_tokens = {.per_success = 0.1, .per_second = 1, .cap = 2};
  EngineRig small(few);
  small.channels.add("a", EngineRig::vendor_caps());
  small.boot();
  std::vector<MessageId> ids;
  small.answer("a", Disposition::unknown);
  for (int i = 0; i < 8; ++i) {
    const std::string n = std::to_string(i);
    if (i < 4) small.add_device("d" + n, "u" + n, {"a"});
    MessageDraft draft = EngineRig::draft("u" + n);
    if (i >= 4) draft.message.to = {AudienceKind::token, "a", {"token-" + n}};
    ids.push_back(small.send(std::move(draft)));
  }
  EXPECT_EQ(small.channels.sent.size(), 8u);
  small.answer("a", Disposition::delivered);
  small.pass(20'000);
  for (const MessageId id : ids) EXPECT_EQ(small.status(id), "delivered");
  EXPECT_EQ(small.channels.sent.size(), 16u) << "each once more, and no more than time allowed";
}

TEST_F(SettleTest, AThrottledChannelPausesAndNothingIsHeldAgainstTheMessage) {
  int calls = 0;
  rig.channels.channels[0].script = [&](const FakeChannels::Sent&) {
    Settlement s = EngineRig::outcome(++calls == 1 ? Disposition::throttled : Disposition::delivered);
    s.retry_after_ms = 1'500;
    return s;
  };
  const MessageId id = rig.send(EngineRig::draft("u1"));
  rig.pass(1'000);
  EXPECT_EQ(calls, 1);
  const auto channels =
      rig.ask<std::vector<ChannelView>>([&](auto done) { rig.engine->list_channels(std::move(done)); });
  EXPECT_GT((*channels)[0].held_until_ms, rig.clock.wall_ms());
  rig.pass(1'000);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(rig.status(id), "delivered");
  EXPECT_EQ(rig.engine->stats().retries.value(), 0u);
}

TEST_F(SettleTest, ALongPauseSendsItElsewhere) {
  for (auto& channel : rig.channels.channels)
    channel.script = [](const FakeChannels::Sent&) {
      Settlement s = EngineRig::outcome(Disposition::throttled);
      s.retry_after_ms = 60'000;
      return s;
    };
  rig.send(EngineRig::draft("u2"));
  const std::string one = first();
  EXPECT_THAT(rig.sent_over(), ElementsAre(one, other(one)));
  rig.answer("a", Disposition::delivered);
  rig.answer("b", Disposition::delivered);
  rig.pass(58'000);
  EXPECT_EQ(rig.channels.sent.size(), 2u);  // both are on hold: it waits
  rig.pass(4'000);
  EXPECT_EQ(rig.channels.sent.size(), 3u);
}

// Looks during the pause counted as looks after failures, so the first recovery came a minute later instead of 15 s.
TEST_F(SettleTest, APauseBeforeDoesNotDelayTheFirstRecovery) {
  int calls = 0;
  rig.channels.channels[0].script = [&](const FakeChannels::Sent&) {
    Settlement s = EngineRig::outcome(++calls == 1 ? Disposition::throttled
                                      : calls <= 4 ? Disposition::retry
                                                   : Disposition::delivered);
    s.retry_after_ms = 10'000;
    return s;
  };
  const MessageId id = rig.send(EngineRig::draft("u1"));
  rig.pass(14'000);
  ASSERT_EQ(calls, 4) << "the pause, and three tries after it";
  rig.pass(16'000);
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(SettleTest, AnUnreachableTargetGoesToTheNextChannelAtOnce) {
  for (auto& channel : rig.channels.channels)
    channel.script = [](const FakeChannels::Sent&) { return EngineRig::outcome(Disposition::unreachable); };
  const MessageId id = rig.send(EngineRig::draft("u2"));
  EXPECT_EQ(rig.channels.sent.size(), 2u);
  EXPECT_EQ(rig.status(id), "failed");
  EXPECT_EQ(rig.delivery(id).reason, "unreachable");
}

TEST_F(SettleTest, ADeadTokenIsUnboundAndTheNextChannelTried) {
  for (auto& channel : rig.channels.channels)
    channel.script = [](const FakeChannels::Sent&) { return EngineRig::outcome(Disposition::target_invalid); };
  rig.send(EngineRig::draft("u2"));
  EXPECT_EQ(rig.channels.sent.size(), 2u);
  const auto device = rig.ask<Device>([&](auto done) { rig.engine->get_device("shop", "d2", std::move(done)); });
  ASSERT_TRUE(device);
  for (const DeviceChannel& c : device->channels) EXPECT_TRUE(c.invalid) << c.channel;
  // The next message has nowhere to go, and says so.
  const MessageId id = rig.send(EngineRig::draft("u2"));
  EXPECT_EQ(rig.delivery(id).reason, "no_channel");
}

TEST_F(SettleTest, RefusedContentIsNotOfferedToAnotherInstanceOfTheSamePlugin) {
  rig.channels.channels[1].status.plugin = "a";
  EngineRig twins;
  twins.channels.add("a", EngineRig::vendor_caps());
  twins.channels.add("a2", EngineRig::vendor_caps());
  twins.channels.channels[1].status.plugin = "a";
  twins.boot();
  twins.add_device("d", "u", {"a", "a2"});
  twins.answer("a", Disposition::rejected);
  twins.answer("a2", Disposition::rejected);
  const MessageId id = twins.send(EngineRig::draft("u"));
  EXPECT_EQ(twins.channels.sent.size(), 1u);
  EXPECT_EQ(twins.delivery(id).reason, "refused");
  EXPECT_EQ(twins.status(id), "failed");
}

TEST_F(SettleTest, RefusedContentMayPassOnAChannelOfAnotherMake) {
  for (auto& channel : rig.channels.channels)
    channel.script = [](const FakeChannels::Sent&) { return EngineRig::outcome(Disposition::rejected); };
  rig.send(EngineRig::draft("u2"));
  EXPECT_EQ(rig.channels.sent.size(), 2u);
}

TEST_F(SettleTest, BrokenCredentialsMoveTheMessageToTheNextChannel) {
  for (auto& channel : rig.channels.channels)
    channel.script = [](const FakeChannels::Sent&) { return EngineRig::outcome(Disposition::config); };
  const MessageId id = rig.send(EngineRig::draft("u2"));
  EXPECT_EQ(rig.channels.sent.size(), 2u);
  EXPECT_EQ(rig.delivery(id).reason, "config");
}

TEST_F(SettleTest, AnUnknownOutcomeIsRepeated) {
  int calls = 0;
  rig.channels.channels[0].script = [&](const FakeChannels::Sent&) {
    return EngineRig::outcome(++calls == 1 ? Disposition::unknown : Disposition::delivered);
  };
  const MessageId id = rig.send(EngineRig::draft("u1"));
  rig.pass(1'000);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(rig.status(id), "delivered");
}

// The connection broke, and is not back when the time to repeat has come.
TEST_F(SettleTest, AnUnknownOutcomeIsRepeatedWhenTheChannelIsBack) {
  EngineRig one;
  one.channels.add("a", EngineRig::vendor_caps());
  one.boot();
  one.add_device("d", "u", {"a"});
  auto& channel = one.channels.channels[0];
  const auto turn_to = [&](ChannelState state) {
    channel.status.state = state;
    one.engine->room(0);
    one.settle_down();
  };
  channel.script = [&](const FakeChannels::Sent&) {
    channel.status.state = ChannelState::down;
    return EngineRig::outcome(Disposition::unknown);
  };
  const MessageId id = one.send(EngineRig::draft("u"));
  turn_to(ChannelState::down);
  one.pass(10'000);
  EXPECT_EQ(one.channels.sent.size(), 1u);
  EXPECT_EQ(one.status(id), "attempted");
  one.answer("a", Disposition::delivered);
  turn_to(ChannelState::ready);
  one.pass(1'000);
  EXPECT_EQ(one.channels.sent.size(), 2u);
  EXPECT_EQ(one.status(id), "delivered");
}

// One channel whose every send costs money, and one device on it.
class CostlyRig : public EngineRig {
 public:
  CostlyRig() {
    ChannelCaps caps = vendor_caps();
    caps.metered = true;
    channels.add("sms", caps);
    boot();
    add_device("d", "u", {"sms"});
  }
};

TEST_F(SettleTest, AnUnknownOutcomeOfACostlyChannelIsNeverRepeated) {
  CostlyRig sms;
  sms.answer("sms", Disposition::unknown);
  MessageDraft m = EngineRig::draft("u");
  m.message.priority = Priority::critical;
  const MessageId id = sms.send(m);
  ASSERT_EQ(sms.channels.sent.size(), 1u);
  sms.pass(1'800'000);
  EXPECT_EQ(sms.channels.sent.size(), 1u);
  EXPECT_EQ(sms.status(id), "attempted");
  sms.receipt("sms", sms.vendor_id_of(0));
  EXPECT_EQ(sms.status(id), "delivered");
}

TEST_F(SettleTest, AnUnknownOutcomeThatStaysUnknownExpiresAndSaysWhy) {
  CostlyRig sms;
  sms.answer("sms", Disposition::unknown);
  const MessageId id = sms.send(EngineRig::draft("u"));
  sms.pass(3'700'000);
  EXPECT_EQ(sms.status(id), "expired");
  EXPECT_EQ(sms.delivery(id).reason, "outcome_unknown");
}

TEST_F(SettleTest, TheIntentionToUseACostlyChannelIsDurableFirst) {
  CostlyRig sms;
  sms.answer("sms", Disposition::accepted);
  std::vector<MessageDraft> drafts;
  drafts.push_back(EngineRig::draft("u"));
  sms.ledger.held = true;
  sms.engine->accept(std::move(drafts), [](auto) {});
  sms.ledger.held = false;
  sms.ledger.commit();
  sms.ledger.held = true;
  sms.settle_down();
  EXPECT_EQ(sms.channels.sent.size(), 0u);  // accepted and planned, but the INTENT is not written
  sms.ledger.held = false;
  sms.ledger.commit();
  sms.settle_down();
  EXPECT_EQ(sms.channels.sent.size(), 1u);
}

TEST_F(SettleTest, NothingIsSentAfterItsTimeAndTheStateSaysExpired) {
  rig.channels.channels[0].credit = 0;
  MessageDraft m = EngineRig::draft("u1");
  m.message.ttl_ms = 10'000;
  const MessageId id = rig.send(m);
  rig.pass(10'100);
  rig.channels.channels[0].credit = 10;
  rig.pass(1'000);
  EXPECT_EQ(rig.channels.sent.size(), 0u);
  EXPECT_EQ(rig.status(id), "expired");
  EXPECT_EQ(rig.delivery(id).reason, "ttl");
}

TEST_F(SettleTest, WhatIsWithAChannelAtItsEndKeepsWhatTheChannelSays) {
  rig.leave_open("a");
  MessageDraft m = EngineRig::draft("u1");
  m.message.ttl_ms = 5'000;
  const MessageId id = rig.send(m);
  ASSERT_EQ(rig.channels.sent.size(), 1u);
  EXPECT_LE(rig.channels.sent[0].parcel->deadline_ns, rig.clock.mono_ns() + 5'000 * kNsPerMs);
  rig.pass(6'000);
  EXPECT_EQ(rig.status(id), "attempted");
  rig.settle(rig.channels.sent[0], EngineRig::outcome(Disposition::accepted));
  EXPECT_EQ(rig.status(id), "sent");
  EXPECT_TRUE(rig.look(id)->complete);
}

TEST_F(SettleTest, AChannelThatGoesDownHandsItsQueueOn) {
  rig.channels.channels[0].credit = rig.channels.channels[1].credit = 0;
  rig.send(EngineRig::draft("u2"));
  // Whichever has it queued goes down; the other one gets it.
  for (auto& channel : rig.channels.channels) channel.credit = 10;
  rig.channels.channels[0].status.state = ChannelState::down;
  rig.channels.channels[1].status.state = ChannelState::down;
  rig.channels.channels[0].credit = rig.channels.channels[1].credit = 0;
  rig.pass(1'000);
  rig.channels.channels[1].status.state = ChannelState::ready;
  rig.channels.channels[1].credit = 10;
  rig.engine->room(1);
  rig.settle_down();
  EXPECT_THAT(rig.sent_over(), ElementsAre("b"));
}

TEST_F(SettleTest, TheOperatorsSwitchStopsAChannelAndSurvivesARestart) {
  rig.answer("a", Disposition::delivered);
  const auto view = rig.ask<ChannelView>([&](auto done) { rig.engine->set_channel("a", "disabled", std::move(done)); });
  ASSERT_TRUE(view);
  EXPECT_EQ(view->admin_state, "disabled");
  const MessageId id = rig.send(EngineRig::draft("u1"));
  rig.pass(2'000);
  EXPECT_EQ(rig.status(id), "planned");
  EXPECT_EQ(rig.channels.sent.size(), 0u);
  const auto on = rig.ask<ChannelView>([&](auto done) { rig.engine->set_channel("a", "enabled", std::move(done)); });
  EXPECT_EQ(rig.status(id), "delivered");
  (void)rig.ask<ChannelView>([&](auto done) { rig.engine->set_channel("b", "draining", std::move(done)); });
  rig.crash();
  const auto channels =
      rig.ask<std::vector<ChannelView>>([&](auto done) { rig.engine->list_channels(std::move(done)); });
  EXPECT_EQ((*channels)[1].admin_state, "draining");
}

TEST_F(SettleTest, AFullQueueOfOneChannelIsLeftForAnother) {
  rig.answer("a", Disposition::delivered);
  rig.answer("b", Disposition::delivered);
  rig.channels.channels[0].credit = rig.channels.channels[1].credit = 0;
  const MessageId id = rig.send(EngineRig::draft("u2"));
  rig.channels.channels[0].credit = 0;
  rig.channels.channels[1].credit = 10;
  rig.pass(6'000);
  EXPECT_EQ(rig.status(id), "delivered");
  EXPECT_THAT(rig.sent_over(), ElementsAre("b"));
}

}  // namespace
}  // namespace godwit
