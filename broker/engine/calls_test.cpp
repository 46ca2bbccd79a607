// The other calls: cancel, collapse, schedule, look without touching, listen, devices and their changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class CallsTest : public testing::Test {
 protected:
  void SetUp() override {
    rig.channels.add("a", EngineRig::vendor_caps());
    rig.channels.add("b", EngineRig::blind_caps());
    rig.channels.add("own", EngineRig::connection_caps());
    rig.boot();
  }
  Result<CancelAnswer> cancel(MessageId id) {
    return rig.ask<CancelAnswer>([&](auto done) { rig.engine->cancel_message("shop", id, std::move(done)); });
  }
  Result<DeviceAnswer> put(const Device& d) {
    return rig.ask<DeviceAnswer>([&](auto done) { rig.engine->put_device(d, std::move(done)); });
  }
  Result<Device> remove(const std::string& id) {
    return rig.ask<Device>([&](auto done) { rig.engine->delete_device("shop", id, std::move(done)); });
  }
  EngineRig rig;
};

// ---- Cancel

TEST_F(CallsTest, ACancelledMessageInTheQueueNeverGoesOut) {
  rig.add_device("d", "u", {"a"});
  rig.channels.channels[0].credit = 0;
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_EQ(cancel(id)->cancelled, 1u);
  rig.channels.channels[0].credit = 10;
  rig.pass(1'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_EQ(rig.status(id), "cancelled");
  EXPECT_TRUE(rig.look(id)->complete);
}

TEST_F(CallsTest, CancellingWhatIsWithAChannelAsksForItBackAndStartsNothingNew) {
  rig.add_device("d", "u", {"a"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  const auto answer = cancel(id);
  EXPECT_EQ(answer->already_out, 1u);
  EXPECT_THAT(rig.channels.cancelled, ElementsAre(rig.channels.sent[0].parcel->cookie));
  rig.settle(rig.channels.sent[0], EngineRig::outcome(Disposition::cancelled));
  EXPECT_EQ(rig.status(id), "cancelled");
}

TEST_F(CallsTest, ACancelThatComesTooLateSaysSo) {
  rig.add_device("d", "u", {"a"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  (void)cancel(id);
  rig.settle(rig.channels.sent[0], EngineRig::outcome(Disposition::accepted, "v"));
  EXPECT_EQ(rig.status(id), "sent");
  rig.receipt("a", "v");
  EXPECT_EQ(rig.status(id), "delivered");
  EXPECT_EQ(cancel(id)->already_out, 1u);
  EXPECT_EQ(cancel(id)->cancelled, 0u);
}

TEST_F(CallsTest, AFailureAfterACancelIsACancellationNotARetry) {
  rig.add_device("d", "u", {"a"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  (void)cancel(id);
  rig.settle(rig.channels.sent[0], EngineRig::outcome(Disposition::retry));
  rig.pass(60'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(1));
  EXPECT_EQ(rig.status(id), "cancelled");
}

TEST_F(CallsTest, AScheduledMessageCanBeCancelledBeforeItsTime) {
  rig.add_device("d", "u", {"a"});
  MessageDraft m = EngineRig::draft("u");
  m.message.deliver_at_ms = rig.clock.wall_ms() + 10'000;
  const MessageId id = rig.send(m);
  EXPECT_EQ(cancel(id)->cancelled, 1u);
  rig.pass(20'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_EQ(rig.status(id), "cancelled");
  EXPECT_EQ(rig.engine->stats().scheduled_messages.value(), 0u);
}

TEST_F(CallsTest, CancellingAnUnknownMessageIsNotFound) {
  EXPECT_EQ(cancel(MessageId{1, 2}).error().code, Code::not_found);
}

// ---- Collapse and schedule

TEST_F(CallsTest, ANewerMessageWithTheSameKeyTakesThePlaceOfOneThatWaits) {
  rig.add_device("d", "u", {"own"});
  rig.add_device("other", "u2", {"own"});
  rig.answer("own", Disposition::delivered);
  MessageDraft m = EngineRig::draft("u");
  m.message.collapse_key = "score";
  const MessageId first = rig.send(m);
  MessageDraft elsewhere = m;
  elsewhere.message.to.names = {"u2"};
  const MessageId not_his = rig.send(elsewhere);
  m.message.collapse_key = "weather";
  const MessageId other_key = rig.send(m);
  m.message.collapse_key = "score";
  const MessageId second = rig.send(m), third = rig.send(m);
  EXPECT_EQ(rig.delivery(first).reason, "collapsed");
  EXPECT_EQ(rig.status(first), "suppressed");
  EXPECT_EQ(rig.status(second), "suppressed");
  rig.presence("own", "d", true);
  EXPECT_EQ(rig.status(third), "delivered");
  EXPECT_EQ(rig.status(other_key), "delivered");
  EXPECT_EQ(rig.status(not_his), "planned");
  EXPECT_THAT(rig.channels.sent, SizeIs(2));
  EXPECT_EQ(rig.engine->stats().collapsed.value(), 2u);
}

TEST_F(CallsTest, WhatIsOutAlreadyIsNotTakenBackButNotTriedElsewhere) {
  rig.add_device("d", "u", {"a", "own"});
  rig.answer("a", Disposition::accepted);
  rig.answer("own", Disposition::delivered);
  MessageDraft m = EngineRig::draft("u");
  m.message.collapse_key = "score";
  const MessageId first = rig.send(m), second = rig.send(m);
  EXPECT_EQ(rig.status(first), "sent");
  rig.pass(1'200'000);
  rig.channels.sent.clear();
  rig.presence("own", "d", true);
  ASSERT_THAT(rig.channels.sent, SizeIs(1));
  EXPECT_EQ(rig.channels.sent[0].parcel->message->id, second);
}

TEST_F(CallsTest, AScheduledMessageReachesWhoeverIsThereAtItsTime) {
  rig.answer("a", Disposition::delivered);
  MessageDraft m = EngineRig::draft("u");
  m.message.deliver_at_ms = rig.clock.wall_ms() + 3'600'000;
  const auto answer = rig.accept(m);
  EXPECT_FALSE(answer->recipients);
  EXPECT_EQ(rig.status(answer->id), "accepted");
  rig.pass(1'800'000);
  rig.add_device("d", "u", {"a"});
  rig.pass(1'799'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  rig.pass(10'000);
  EXPECT_EQ(rig.status(answer->id), "delivered");
}

// ---- Looking without touching

TEST_F(CallsTest, ADryRunShowsWhoAndHowAndSendsNothing) {
  rig.add_device("d1", "u", {"a"});
  rig.add_device("d2", "u", {});
  const auto run = rig.ask<DryRun>([&](auto done) { rig.engine->dry_run(EngineRig::draft("u"), std::move(done)); });
  ASSERT_TRUE(run);
  EXPECT_EQ(run->recipients, 2u);
  ASSERT_THAT(run->samples, SizeIs(2));
  EXPECT_EQ(run->samples[0].channel, "a");
  ASSERT_THAT(run->samples[0].preview.requests, SizeIs(1));
  EXPECT_EQ(run->samples[0].preview.requests[0].body, R"({"a":"t-d1-a"})");
  EXPECT_GT(run->samples[0].p, 0);
  EXPECT_EQ(run->samples[1].channel, "");
  EXPECT_EQ(run->samples[1].reason, "no_token");
  rig.pass(1'000);
  EXPECT_THAT(rig.channels.sent, SizeIs(0));
  EXPECT_EQ(rig.engine->core().balance().open_messages, 0u);
}

TEST_F(CallsTest, ADryRunFollowsTheOrderThatWasAskedFor) {
  rig.add_device("d", "u", {"a", "own"});
  rig.presence("own", "d", true);
  for (const auto& order : {std::vector<std::string>{"a", "own"}, std::vector<std::string>{"own", "a"}}) {
    MessageDraft m = EngineRig::draft("u");
    m.message.routing = RoutingMode::ordered;
    m.message.channels = order;
    const auto run = rig.ask<DryRun>([&](auto done) { rig.engine->dry_run(m, std::move(done)); });
    ASSERT_THAT(run->samples, SizeIs(1));
    EXPECT_EQ(run->samples[0].channel, order.front()) << "as a real message goes";
  }
}

TEST_F(CallsTest, ADryRunTakesATokenThatNobodyRegisteredAsItIs) {
  MessageDraft m = EngineRig::draft("");
  m.message.to = {AudienceKind::token, "a", {"raw-token"}};
  const auto run = rig.ask<DryRun>([&](auto done) { rig.engine->dry_run(m, std::move(done)); });
  EXPECT_EQ(run->recipients, 1u);
  ASSERT_THAT(run->samples, SizeIs(1));
  EXPECT_EQ(run->samples[0].token, "raw-token");
  EXPECT_EQ(run->samples[0].channel, "a");
  EXPECT_EQ(run->samples[0].reason, "only_one");
  EXPECT_EQ(run->samples[0].preview.requests.at(0).body, R"({"a":"raw-token"})");
}

TEST_F(CallsTest, ADryRunSaysWhyAChannelCannotShowItAndIsSilentOnlyIfItNeverShowsAny) {
  rig.add_device("d", "u", {"a"});
  const auto errors = [&](Code code) {
    rig.channels.show = [code](const Parcel&) { return Error{code, "the channel is not running", {}}; };
    return rig.ask<DryRun>([&](auto done) { rig.engine->dry_run(EngineRig::draft("u"), std::move(done)); })
        ->samples.at(0)
        .preview.errors;
  };
  ASSERT_THAT(errors(Code::unavailable), SizeIs(1));
  EXPECT_EQ(errors(Code::unavailable)[0].detail, "the channel is not running");
  EXPECT_THAT(errors(Code::not_found), SizeIs(0));
}

TEST_F(CallsTest, TheRouteOfADeviceNamesEveryChannelAndWhyItSleeps) {
  rig.add_device("d", "u", {"a", "own"});
  const auto route =
      rig.ask<RouteView>([&](auto done) { rig.engine->route("shop", "d", Priority::high, std::move(done)); });
  ASSERT_TRUE(route);
  EXPECT_EQ(route->decision.action, routing::Action::send);
  EXPECT_EQ(route->channel_names[route->decision.channel], "a");
  std::vector<std::string> asleep;
  for (const auto& c : route->candidates)
    if (c.sleep != routing::Sleep::awake)
      asleep.push_back(route->channel_names[c.channel] + ":" + std::string(routing::to_string(c.sleep)));
  EXPECT_THAT(asleep, testing::UnorderedElementsAre("b:no_token", "own:offline"));
}

TEST_F(CallsTest, AnAttemptSaysWhyItsChannelWasChosen) {
  rig.add_device("d", "u", {"a", "own"});
  rig.answer("a", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  const AttemptView attempt = rig.delivery(id).attempts.at(0);
  EXPECT_THAT(attempt.why, HasSubstr("a: the only channel"));
  EXPECT_THAT(attempt.why, HasSubstr("own asleep (offline)"));
  EXPECT_THAT(attempt.why_json, HasSubstr(R"({"channel":"own","asleep":"offline"})"));
}

TEST_F(CallsTest, DeliveriesComeInPages) {
  for (int i = 0; i < 250; ++i) rig.add_device("d" + std::to_string(i), "u", {"b"});
  rig.answer("b", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  std::set<std::string> seen;
  std::string page;
  int pages = 0;
  do {
    auto answer =
        rig.ask<DeliveryPage>([&](auto done) { rig.engine->get_deliveries("shop", id, "", page, std::move(done)); });
    ASSERT_TRUE(answer);
    for (const auto& d : answer->deliveries) seen.insert(d.device_id);
    page = answer->next_page;
    ++pages;
  } while (!page.empty());
  EXPECT_EQ(seen.size(), 250u);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(rig.deliveries(id, "d77").at(0).device_id, "d77");
  EXPECT_THAT(rig.deliveries(id, "stranger"), SizeIs(0));
}

// ---- Events and figures

TEST_F(CallsTest, SubscribersSeeTheLifeOfTheirAppsMessages) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  std::vector<std::string> mine, others;
  const uint64_t id = rig.engine->subscribe("shop", [&](const LifeEvent& e) { mine.push_back(e.event); });
  rig.engine->subscribe("news", [&](const LifeEvent& e) { others.push_back(e.event); });
  rig.send(EngineRig::draft("u"));
  rig.receipt("a", rig.vendor_id_of(0), 8);
  EXPECT_THAT(mine, ElementsAre("accepted", "planned", "attempted", "sent", "opened"));
  EXPECT_THAT(others, SizeIs(0));
  rig.engine->unsubscribe(id);
  rig.send(EngineRig::draft("u"));
  EXPECT_THAT(mine, SizeIs(5));
}

TEST_F(CallsTest, TheFiguresFollowTheMessages) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  rig.send(EngineRig::draft("u"));
  rig.send(EngineRig::draft("nobody"));
  rig.clock.advance_ms(300);
  rig.receipt("a", rig.vendor_id_of(0));
  const EngineStats& stats = rig.engine->stats();
  stats.each_app([](const EngineStats::App& app) {
    if (app.id != "shop") return;
    EXPECT_EQ(app.accepted.value(), 2u);
    EXPECT_EQ(app.states[static_cast<size_t>(DeliveryState::delivered)].value(), 1u);
    EXPECT_EQ(app.states[static_cast<size_t>(DeliveryState::suppressed)].value(), 1u);
  });
  stats.each_channel([](const EngineStats::Channel& channel) {
    if (channel.name != "a") return;
    EXPECT_EQ(channel.attempts[static_cast<size_t>(Disposition::accepted)].value(), 1u);
    EXPECT_EQ(channel.receipts[static_cast<size_t>(ReceiptSource::vendor)][0].value(), 1u);
    EXPECT_EQ(channel.delays[6].value(), 1u);  // between 0.25 and 0.5 s
  });
  EXPECT_EQ(stats.open_deliveries.value(), 0u);
  EXPECT_GT(stats.content_bytes.value(), 0u);
}

// ---- Devices

TEST_F(CallsTest, ARegisteredTokenMovesToTheNewDevice) {
  rig.add_device("old", "u1", {"a"});
  Device d;
  d.app = "shop";
  d.id = "new";
  d.user_id = "u2";
  d.channels = {{"a", "t-old-a", false, 0}};
  const auto answer = put(d);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->created);
  EXPECT_THAT(answer->moved_from, ElementsAre(std::pair<std::string, std::string>("a", "old")));
  EXPECT_EQ(rig.delivery(rig.send(EngineRig::draft("u1"))).reason, "no_channel");
  rig.send(EngineRig::draft("u2"));
  EXPECT_EQ(rig.channels.sent.at(0).to().address, "t-old-a");
}

TEST_F(CallsTest, ADeviceWithoutAnIdGetsOne) {
  Device d;
  d.app = "shop";
  const auto one = put(d), two = put(d);
  EXPECT_FALSE(one->device.id.empty());
  EXPECT_NE(one->device.id, two->device.id);
}

TEST_F(CallsTest, PatchesOfOneDeviceFollowOneAnother) {
  rig.add_device("d", "u", {"a"});
  rig.ledger.held = true;
  int answers = 0;
  for (const std::string tag : {"x", "y", "z"})
    rig.engine->patch_device(
        "shop", "d",
        [tag](Device& device) -> Result<void> {
          device.tags.push_back(tag);
          return {};
        },
        [&](auto answer) { answers += answer.ok(); });
  rig.settle_down();
  rig.ledger.held = false;
  for (int i = 0; i < 4; ++i) {
    rig.ledger.commit();
    rig.settle_down();
  }
  EXPECT_EQ(answers, 3);
  const auto device = rig.ask<Device>([&](auto done) { rig.engine->get_device("shop", "d", std::move(done)); });
  EXPECT_THAT(device->tags, testing::UnorderedElementsAre("x", "y", "z"));
}

TEST_F(CallsTest, APatchThatIsRefusedChangesNothing) {
  rig.add_device("d", "u", {"a"});
  const auto answer = rig.ask<DeviceAnswer>([&](auto done) {
    rig.engine->patch_device(
        "shop", "d",
        [](Device&) -> Result<void> {
          return Error{Code::invalid, "no", "/tags"};
        },
        std::move(done));
  });
  EXPECT_EQ(answer.error().where, "/tags");
  EXPECT_TRUE(rig.engine->core().idle());
}

TEST_F(CallsTest, AnyNumberOfRefusedPatchesMayWaitBehindOne) {
  rig.add_device("d", "u", {"a"});
  rig.ledger.held = true;
  const auto patch = [&](bool refuse, int& answers) {
    rig.engine->patch_device(
        "shop", "d",
        [refuse](Device&) -> Result<void> {
          if (refuse) return Error{Code::invalid, "no", "/tags"};
          return {};
        },
        [&answers](auto) { ++answers; });
  };
  int changed = 0, refused = 0;
  patch(false, changed);
  for (int i = 0; i < 50'000; ++i) patch(true, refused);
  rig.settle_down();
  EXPECT_EQ(refused, 0);
  rig.ledger.held = false;
  rig.ledger.commit();
  rig.settle_down();
  EXPECT_EQ(changed, 1);
  EXPECT_EQ(refused, 50'000);
  EXPECT_TRUE(rig.engine->core().idle());
}

TEST_F(CallsTest, ARemovedDeviceEndsItsMessagesAndKeepsItsNameInTheirHistory) {
  rig.add_device("d", "u", {"own"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  ASSERT_TRUE(remove("d"));
  EXPECT_EQ(rig.status(id), "failed");
  EXPECT_EQ(rig.delivery(id).reason, "device_removed");
  EXPECT_EQ(rig.delivery(id).device_id, "d");
  EXPECT_EQ(remove("d").error().code, Code::not_found);
  EXPECT_EQ(rig.send(EngineRig::draft("u")).is_nil(), false);
}

TEST_F(CallsTest, ADeviceRemovedDuringASendDoesNotConfuseTheSettlement) {
  rig.add_device("d", "u", {"a"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  ASSERT_TRUE(remove("d"));
  rig.settle(rig.channels.sent[0], EngineRig::outcome(Disposition::target_invalid));
  EXPECT_EQ(rig.status(id), "failed");
  rig.pass(10'000);
}

TEST_F(CallsTest, ATokenThatTheVendorReplacedIsUsedFromThenOn) {
  rig.add_device("d", "u", {"a"});
  ChannelEvent e;
  e.kind = ChannelEvent::Kind::token_changed;
  e.channel = 0;
  e.address = "t-d-a";
  e.payload = "t-new";
  rig.event(e);
  rig.send(EngineRig::draft("u"));
  EXPECT_EQ(rig.channels.sent.at(0).to().address, "t-new");
}

TEST_F(CallsTest, ANewTokenWakesWhatHadNowhereToGo) {
  rig.add_device("d", "u", {"own"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  EXPECT_EQ(rig.status(id), "planned");
  rig.answer("a", Disposition::delivered);
  rig.add_device("d", "u", {"own", "a"});
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(CallsTest, AUsedUpQuotaPutsTheChannelToSleepUntilItsReset) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::delivered);
  ChannelEvent e;
  e.kind = ChannelEvent::Kind::quota;
  e.channel = 0;
  const std::string reset = std::to_string(rig.clock.wall_ms() + 60'000);
  e.payload = R"({"remaining": 100, "resets_at_ms": )" + reset + "}";
  rig.event(e);
  e.payload = R"({"remaining": 0, "resets_at_ms": )" + reset + "}";
  rig.event(e);
  e.payload = "not json";
  rig.event(e);
  const MessageId id = rig.send(EngineRig::draft("u"));
  rig.pass(30'000);
  EXPECT_EQ(rig.status(id), "planned");
  rig.pass(31'000);
  EXPECT_EQ(rig.status(id), "delivered");
}

TEST_F(CallsTest, RatesWithoutAWindowAreThoseOfTheLastDay) {
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::delivered);
  const auto sent = [&] {
    const auto view = rig.ask<RateView>([&](auto done) { rig.engine->rates({}, std::move(done)); });
    return view->rows.empty() ? 0 : view->rows[0].sent;
  };
  rig.send(EngineRig::draft("u"));
  EXPECT_EQ(sent(), 1);
  rig.pass(26 * 3'600'000);
  rig.send(EngineRig::draft("u"));
  EXPECT_EQ(sent(), 1) << "the metric promises a day, and showed the whole week";
}

// Of a vendor that tells only how many of a push arrived (TPNS): rates of its kind, and no delivery changes.
TEST_F(CallsTest, FiguresOfAPushBecomeRatesOfKindVendor) {
  ChannelEvent e;
  e.kind = ChannelEvent::Kind::receipt;
  e.subkind = 2;
  e.channel = 0;
  e.vendor_id = "push-7";
  e.event_id = "figures/push-7/xm/1";
  e.payload = R"({"of": 50, "delivered": 40, "opened": 3, "manufacturer": "xiaomi"})";
  rig.event(e);
  rig.event(e);  // again: the same figures
  e.event_id = "figures/push-7/xm/2";
  e.payload = R"({"of": -1, "delivered": "many", "manufacturer": 7})";
  rig.event(e);
  routing::RateQuery query;
  query.by_manufacturer = true;
  query.now_ms = rig.clock.wall_ms();
  query.from_ms = query.now_ms - 3'600'000;
  const auto view = rig.ask<RateView>([&](auto done) { rig.engine->rates(query, std::move(done)); });
  const auto row = std::find_if(view->rows.begin(), view->rows.end(), [](const auto& r) {
    return r.kind == routing::ReceiptKind::vendor && r.manufacturer == "xiaomi";
  });
  ASSERT_NE(row, view->rows.end());
  EXPECT_EQ(row->delivered, 40);
  EXPECT_DOUBLE_EQ(row->rate, 0.8);
}

TEST_F(CallsTest, AFloodOfEventsIsTurnedAwayAndCalledBack) {
  std::vector<ChannelEvent> many(150'000);
  for (auto& e : many) e.kind = ChannelEvent::Kind::notice;
  EXPECT_TRUE(rig.engine->events(many));
  EXPECT_FALSE(rig.engine->events(many));
  EXPECT_THAT(rig.channels.told_of_room, SizeIs(0));
  rig.settle_down();
  EXPECT_THAT(rig.channels.told_of_room, ElementsAre(0));
  EXPECT_TRUE(rig.engine->events(many));
}

TEST_F(CallsTest, AnAppUsesOnlyItsChannels) {
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("b", Disposition::accepted);
  rig.engine->reconfigure({{"shop", {"b"}}});
  rig.send(EngineRig::draft("u"));
  EXPECT_THAT(rig.sent_over(), ElementsAre("b"));
}

TEST_F(CallsTest, WhoNamesAChannelThatIsNotThereIsToldWhichOneWasMeant) {
  const std::string text = "there is no channel 'owm' (did you mean 'own'?)";
  const auto switched =
      rig.ask<ChannelView>([&](auto done) { rig.engine->set_channel("owm", "disabled", std::move(done)); });
  EXPECT_EQ(switched.error().code, Code::not_found);
  EXPECT_EQ(switched.error().message, text);
  const auto reloaded = rig.ask<ReloadReport>([&](auto done) { rig.engine->reload_channel("owm", std::move(done)); });
  EXPECT_EQ(reloaded.error().code, Code::not_found);
  EXPECT_EQ(reloaded.error().message, text);
}

TEST_F(CallsTest, AfterTheStopEveryCallIsAnswered) {
  rig.add_device("d", "u", {"own"});
  std::optional<Result<Broker::InboxPage>> poll;
  rig.engine->inbox("shop", "d", "", 60'000, 0, [&](auto p) { poll = std::move(p); });
  rig.settle_down();
  rig.engine->stop();
  EXPECT_TRUE(poll);
  bool answered = false;
  rig.engine->get_device("shop", "d", [&](auto r) { answered = !r.ok() && r.error().code == Code::unavailable; });
  EXPECT_TRUE(answered);
  std::vector<MessageDraft> drafts;
  drafts.push_back(EngineRig::draft("u"));
  answered = false;
  rig.engine->accept(std::move(drafts),
                     [&](auto r) { answered = r.size() == 1 && r[0].error().code == Code::unavailable; });
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace godwit
