// The whole plugin host against real shared libraries: one that behaves (loopback) and one that does not.
#include "broker/channels/plugin_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

#include "broker/channels/testing/parcels.hpp"
#include "broker/channels/testing/recording_sink.hpp"
#include "broker/channels/testing/temp_folder.hpp"

namespace godwit::channels {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

class PluginHostTest : public ::testing::Test {
 protected:
  static ChannelConfig channel(std::string config, std::string plugin = "misbehaving", std::string name = "one") {
    return {std::move(name), std::move(plugin), "inline", std::move(config), true};
  }

  bool try_open(std::vector<ChannelConfig> channels) {
    PluginHostOptions options;
    options.data_dir = temp.path();
    options.plugin_dirs = {TEST_PLUGIN_DIR, PLUGIN_DIR};
    options.manual_time = true;
    options.stop_patience_ms = stop_patience_ms;
    host = PluginHost::open(std::move(channels), options, PluginHostPorts{clock, nullptr, nullptr, {}}, faults);
    return host != nullptr;
  }
  void run(std::vector<ChannelConfig> channels) {
    ASSERT_TRUE(try_open(std::move(channels))) << faults.front().text;
    faults = host->start(sink);
  }
  // Opens one channel that does `what`, and waits until it takes messages.
  void run_doing(const std::string& what, const std::string& more = "") {
    run({channel(R"({"do": ")" + what + "\"" + more + "}")});
    ASSERT_TRUE(faults.empty()) << faults.front().text;
    ASSERT_GT(host->credit(0, clock.mono_ns()), 0u);
  }
  std::vector<ChannelFault> reconfigure(std::vector<ChannelConfig> channels) {
    std::promise<std::vector<ChannelFault>> done;
    host->reconfigure(std::move(channels), [&done](std::vector<ChannelFault> f) { done.set_value(std::move(f)); });
    return done.get_future().get();
  }
  void pass_time(int64_t ms) {
    clock.advance_ms(ms);
    host->turn_time();
  }
  uint64_t misbehaviours() { return host->describe()[0].misbehaviours; }

  // Returns when everything that was asked of the channel's lane before is over. (The plugin answers on_event_room with
  // an event.)
  void wait_for_lane() {
    host->event_room(0);
    ++lane_events;
    ASSERT_EQ(sink.wait_events(lane_events).size(), lane_events);
  }

  TempFolder temp;
  size_t lane_events = 0;
  int64_t stop_patience_ms = 5000;
  ManualClock clock;
  RecordingSink sink;
  std::vector<ChannelFault> faults;
  std::unique_ptr<PluginHost> host;
};

// ---- opening ---------------------------------------------------------------------------------------------------

TEST_F(PluginHostTest, ReportsEveryFaultOfEveryChannelAtOnce) {
  ASSERT_FALSE(
      try_open({channel(R"({"doo": "x", "gate": "y"})"), channel("{}", "no_such", "two"),
                channel(R"({"do": "bad_config"})", "misbehaving", "three"), channel("[]", "misbehaving", "four"),
                channel(R"({"password": "${file:/no/such/file}"})", "misbehaving", "five")}));
  std::vector<std::string> lines;
  for (const ChannelFault& f : faults) lines.push_back(f.channel + " " + f.pointer + " " + f.text);
  EXPECT_THAT(lines, ElementsAre("one /doo is no known property (did you mean 'do'?)",
                                 "one /gate must be an integer, got \"y\"",
                                 HasSubstr("two  there is no plugin 'no_such': looked for"),
                                 "three /do is what only check_config knows to be wrong",
                                 "four  the configuration must be an object", HasSubstr("five /password ")));
}

TEST_F(PluginHostTest, RefusesProcessIsolationAndRepeatedNames) {
  ChannelConfig isolated = channel("{}");
  isolated.isolation = "process";
  ASSERT_FALSE(try_open({isolated}));
  EXPECT_THAT(faults[0].text, HasSubstr("not available in this version"));
  faults.clear();
  ASSERT_FALSE(try_open({channel("{}"), channel("{}")}));
  EXPECT_THAT(faults[0].text, HasSubstr("two channels have this name"));
}

TEST_F(PluginHostTest, ReportsAFailedCreateAndAFailedStartWithThePluginsWords) {
  ASSERT_FALSE(try_open({channel(R"({"do": "fail_create"})")}));
  EXPECT_EQ(faults[0].pointer, "/do");
  EXPECT_THAT(faults[0].text, HasSubstr("create failed with GW_E_INVALID (-1): /do: create was told to fail"));
  faults.clear();
  run({channel(R"({"do": "fail_start"})"), channel("{}", "misbehaving", "two")});
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_THAT(faults[0].text, HasSubstr("start was told to fail"));
  EXPECT_EQ(host->status(0).state, ChannelState::failed);
  EXPECT_EQ(host->credit(0, clock.mono_ns()), 0u);
  EXPECT_EQ(host->status(1).state, ChannelState::ready) << "the others run";
}

TEST_F(PluginHostTest, ChecksADisabledChannelButDoesNotStartIt) {
  ChannelConfig off = channel(R"({"do": "fail_create"})");
  off.enabled = false;
  run({off});
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(host->status(0).state, ChannelState::stopped);
  EXPECT_FALSE(host->submit(0, make_parcels(1)));
}

TEST_F(PluginHostTest, DescribesAChannel) {
  run_doing("accept");
  const ChannelDescription d = host->describe()[0];
  EXPECT_EQ(d.status.name, "one");
  EXPECT_EQ(d.status.plugin, "misbehaving");
  EXPECT_EQ(d.status.vendor, "Nobody");
  EXPECT_EQ(d.status.window, 16u);
  EXPECT_TRUE(d.status.caps.webhook);
  EXPECT_EQ(d.status.caps.max_targets, 3u);
  EXPECT_THAT(d.health, ElementsAre(std::pair<std::string, std::string>("mood", "bad")));
  EXPECT_EQ(host->find("one"), ChannelNo{0});
  EXPECT_EQ(host->find("two"), std::nullopt);
}

// ---- sending ---------------------------------------------------------------------------------------------------

TEST_F(PluginHostTest, SettlesABatchInOneCallOfTheSink) {
  run_doing("accept");
  EXPECT_EQ(host->credit(0, clock.mono_ns()), 4u) << "never more than max_batch";
  ASSERT_TRUE(host->submit(0, make_parcels(4)));
  const std::vector<Settlement> got = sink.wait_settlements(4);
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(sink.batches(), 1u);
  EXPECT_EQ(got[2].cookie, 3u);
  EXPECT_EQ(got[2].disposition, Disposition::accepted);
  EXPECT_EQ(got[2].vendor_id, "v-m3");
  EXPECT_EQ(host->status(0).in_flight, 0u);
}

TEST_F(PluginHostTest, SettlesEachTargetOfAMessage) {
  run_doing("accept");
  ASSERT_TRUE(host->submit(0, make_parcels(1, 0, 3)));
  const auto got = sink.wait_settlements(3);
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].target, 0u);
  EXPECT_EQ(got[2].target, 2u);
}

TEST_F(PluginHostTest, NeverExceedsTheWindow) {
  run_doing("never");
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(host->submit(0, make_parcels(4, clock.mono_ns() + kNsPerSecond)));
  EXPECT_EQ(host->credit(0, clock.mono_ns()), 0u);
  EXPECT_FALSE(host->submit(0, make_parcels(1)));
  EXPECT_EQ(host->status(0).in_flight, 16u);
}

TEST_F(PluginHostTest, RejectsWhatExceedsTheChannelsCeilings) {
  run_doing("accept");
  auto big = make_parcel(1);
  auto message = std::make_shared<Message>(*big->message);
  message->content.assign(2000, 'x');
  big->message = message;
  ASSERT_TRUE(host->submit(0, {big, make_parcel(2, 0, 4), make_parcel(3)}));
  const auto got = sink.wait_settlements(6);
  ASSERT_EQ(got.size(), 6u);
  EXPECT_EQ(got[0].disposition, Disposition::rejected);
  EXPECT_EQ(got[0].detail, "the content has 2000 bytes, this channel takes 1000");
  EXPECT_EQ(got[1].detail, "the message has 4 targets, this channel takes 1 to 3");
  EXPECT_EQ(got[5].disposition, Disposition::accepted);
  EXPECT_EQ(host->status(0).in_flight, 0u);
}

TEST_F(PluginHostTest, ReturnsWhatThePluginRefusedForARetry) {
  run_doing("refuse");
  ASSERT_TRUE(host->submit(0, make_parcels(2)));
  EXPECT_THAT(sink.wait_settlements(2), Each(Field(&Settlement::disposition, Disposition::retry)));
}

TEST_F(PluginHostTest, CallsWhatAThrowingSubmitLeftOpenUnknown) {
  run_doing("throw");
  ASSERT_TRUE(host->submit(0, make_parcels(2)));
  EXPECT_THAT(sink.wait_settlements(2), Each(Field(&Settlement::disposition, Disposition::unknown)));
  EXPECT_EQ(misbehaviours(), 1u);
}

TEST_F(PluginHostTest, KeepsWhatABreakingSubmitHadSettled) {
  run_doing("settle_then_throw");
  ASSERT_TRUE(host->submit(0, make_parcels(2)));
  const auto got = sink.wait_settlements(2);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].disposition, Disposition::accepted);
  EXPECT_EQ(got[1].disposition, Disposition::unknown);
}

TEST_F(PluginHostTest, TakesOnlyTheFirstOfTwoSettlements) {
  run_doing("twice");
  ASSERT_TRUE(host->submit(0, make_parcels(3)));
  wait_for_lane();
  const auto got = sink.wait_settlements(3);
  ASSERT_EQ(got.size(), 3u);
  EXPECT_THAT(got, Each(Field(&Settlement::disposition, Disposition::accepted)));
  EXPECT_EQ(misbehaviours(), 3u);
}

TEST_F(PluginHostTest, IgnoresTicketsThatWereNeverGiven) {
  run_doing("foreign");
  ASSERT_TRUE(host->submit(0, make_parcels(1)));
  wait_for_lane();
  EXPECT_EQ(sink.wait_settlements(1).size(), 1u);
  EXPECT_EQ(misbehaviours(), 3u);
}

TEST_F(PluginHostTest, TreatsADispositionItDoesNotKnowAsUnknown) {
  run_doing("odd_disposition");
  ASSERT_TRUE(host->submit(0, make_parcels(1)));
  EXPECT_THAT(sink.wait_settlements(1), ElementsAre(Field(&Settlement::disposition, Disposition::unknown)));
}

TEST_F(PluginHostTest, TakesSettlementsFromThePluginsOwnThread) {
  run_doing("own_thread");
  ASSERT_TRUE(host->submit(0, make_parcels(1)));
  EXPECT_THAT(sink.wait_settlements(1), ElementsAre(Field(&Settlement::disposition, Disposition::delivered)));
}

TEST_F(PluginHostTest, LetsNoReceiptOvertakeItsSettlement) {
  run_doing("receipt");
  ASSERT_TRUE(host->submit(0, make_parcels(2)));
  sink.wait_events(2);
  EXPECT_THAT(sink.order(), ElementsAre("settled v-m1", "event v-m1", "settled v-m2", "event v-m2"));
}

TEST_F(PluginHostTest, TellsThePluginWhenThereIsRoomForEventsAgain) {
  run_doing("receipt");
  sink.be_busy(true);
  ASSERT_TRUE(host->submit(0, make_parcels(1)));
  ASSERT_TRUE(sink.wait([&] { return sink.refused() == 1; }));
  sink.be_busy(false);
  host->event_room(0);
  EXPECT_EQ(sink.wait_events(1)[0].vendor_id, "after-room");
}

TEST_F(PluginHostTest, PassesCancelOnAndTheTicketIsStillSettled) {
  run_doing("on_cancel");
  ASSERT_TRUE(host->submit(0, make_parcels(3)));
  host->cancel(0, 2);
  host->cancel(0, 99);
  const auto got = sink.wait_settlements(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].cookie, 2u);
  EXPECT_EQ(got[0].disposition, Disposition::cancelled);
}

TEST_F(PluginHostTest, HoldsAThrottledChannelUntilTheVendorsTime) {
  run_doing("throttle");
  ASSERT_TRUE(host->submit(0, make_parcels(1)));
  EXPECT_THAT(sink.wait_settlements(1), ElementsAre(Field(&Settlement::disposition, Disposition::throttled)));
  EXPECT_EQ(host->credit(0, clock.mono_ns()), 0u);
  EXPECT_FALSE(host->submit(0, make_parcels(1)));
  EXPECT_EQ(host->status(0).held_until_ns, clock.mono_ns() + 5 * kNsPerSecond);
  EXPECT_EQ(host->status(0).hold_reason, "the vendor limits us");
  int before = 0;
  sink.wait([&] { return before = sink.rooms(), true; });
  pass_time(5000);
  EXPECT_TRUE(sink.wait([&] { return sink.rooms() > before; })) << "the dispatcher is told when the hold ends";
  EXPECT_EQ(host->credit(0, clock.mono_ns()), 4u);
}

// ---- what a plugin does not do -----------------------------------------------------------------------------------

TEST_F(PluginHostTest, SettlesForAPluginThatNeverDoes) {
  run_doing("never");
  ASSERT_TRUE(host->submit(0, make_parcels(2, clock.mono_ns() + 10 * kNsPerSecond)));
  wait_for_lane();
  pass_time(14'900);
  EXPECT_EQ(host->status(0).in_flight, 2u);
  pass_time(250);
  const auto got = sink.wait_settlements(2);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_THAT(got, Each(Field(&Settlement::disposition, Disposition::unknown)));
  EXPECT_EQ(host->status(0).in_flight, 0u) << "the window is given back";
  EXPECT_EQ(host->describe()[0].forgotten, 2u);
}

TEST_F(PluginHostTest, CountsALateSettlementWithoutTellingItAgain) {
  run_doing("late");
  ASSERT_TRUE(host->submit(0, make_parcels(2, clock.mono_ns() + 10 * kNsPerSecond)));
  ASSERT_EQ(host->status(0).in_flight, 2u);
  wait_for_lane();
  pass_time(20'000);
  ASSERT_EQ(sink.wait_settlements(2).size(), 2u);
  pass_time(50'000);  // the plugin's timer: it settles after all
  wait_for_lane();
  EXPECT_EQ(sink.wait_settlements(2).size(), 2u);
  EXPECT_EQ(host->describe()[0].late_settles, 2u);
}

TEST_F(PluginHostTest, StopsFeedingAPluginThatForgetsAWholeWindow) {
  run_doing("never");
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(host->submit(0, make_parcels(4, clock.mono_ns() + kNsPerSecond)));
  wait_for_lane();
  pass_time(7000);
  ASSERT_EQ(sink.wait_settlements(16).size(), 16u);
  EXPECT_EQ(host->credit(0, clock.mono_ns()), 0u);
}

TEST_F(PluginHostTest, EndsWhatIsUnsettledWhenAChannelStops) {
  run_doing("never");
  ASSERT_TRUE(host->submit(0, make_parcels(2, clock.mono_ns() + 100 * kNsPerSecond)));
  wait_for_lane();
  EXPECT_TRUE(host->stop(0).empty());
  const auto got = sink.wait_settlements(2);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_THAT(got, Each(Field(&Settlement::detail, "the channel stopped without settling it")));
  EXPECT_EQ(host->status(0).state, ChannelState::stopped);
}

TEST_F(PluginHostTest, LetsAChannelSettleInItsStop) {
  run_doing("at_stop");
  ASSERT_TRUE(host->submit(0, make_parcels(2, clock.mono_ns() + 100 * kNsPerSecond)));
  wait_for_lane();
  host->stop(0);
  EXPECT_THAT(sink.wait_settlements(2), Each(Field(&Settlement::disposition, Disposition::cancelled)));
  EXPECT_EQ(misbehaviours(), 0u);
}

TEST_F(PluginHostTest, ShutsTheDoorAfterStop) {
  run_doing("call_in_destroy");
  host->stop(0);
  EXPECT_EQ(misbehaviours(), 1u);
}

class GatedTest : public PluginHostTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe(gate), 0);
    stop_patience_ms = 200;
  }
  void TearDown() override {
    open_gate();
    host.reset();
    close(gate[0]);
    close(gate[1]);
  }
  void open_gate() {
    for (int i = 0; i < 8; ++i) ASSERT_EQ(write(gate[1], "x", 1), 1);
  }
  std::string gate_config() const { return ", \"gate\": " + std::to_string(gate[0]); }
  int gate[2] = {-1, -1};
};

TEST_F(GatedTest, TakesAHungChannelOutOfServiceUntilItComesBack) {
  run({channel(R"({"do": "hang")" + gate_config() + "}"), channel("{}", "misbehaving", "two")});
  ASSERT_TRUE(host->submit(0, make_parcels(1, clock.mono_ns() + 100 * kNsPerSecond)));
  // The lane may need a moment to begin; from then on the clock stands still while it hangs.
  while (host->status(0).state != ChannelState::hung) {
    pass_time(31'000);
    std::this_thread::yield();
  }
  EXPECT_EQ(host->credit(0, clock.mono_ns()), 0u);
  EXPECT_GE(misbehaviours(), 1u);
  for (int i = 0; i < 3; ++i) {  // the others go on: a spare worker took the place of the hung one
    // The jump of the clock may have caught its lane at the end of a call; then it is back at once.
    while (!host->submit(1, make_parcels(1))) std::this_thread::yield();
    sink.wait_settlements(static_cast<size_t>(i) + 1);
  }
  open_gate();
  EXPECT_TRUE(sink.wait([&] { return host->status(0).state == ChannelState::ready; }));
}

TEST_F(GatedTest, LeavesAChannelBehindThatDoesNotStop) {
  run({channel(R"({"do": "block_stop")" + gate_config() + "}"), channel("{}", "misbehaving", "two")});
  const auto faults = host->stop(0);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].channel, "one");
  EXPECT_THAT(faults[0].text, HasSubstr("did not stop within 200 ms"));
  EXPECT_EQ(host->status(1).state, ChannelState::stopped);
}

// ---- reconfiguring, callbacks ------------------------------------------------------------------------------------

TEST_F(PluginHostTest, AppliesLiveChangesAndReportsWhatIsWrong) {
  run_doing("accept");
  EXPECT_TRUE(reconfigure({channel(R"({"do": "refuse"})")}).empty());
  ASSERT_TRUE(host->submit(0, make_parcels(1)));
  EXPECT_THAT(sink.wait_settlements(1), ElementsAre(Field(&Settlement::disposition, Disposition::retry)));

  const auto faults = reconfigure({channel(R"({"do": 3})"), channel("{}", "misbehaving", "new")});
  EXPECT_THAT(faults, ElementsAre(Field(&ChannelFault::text, "must be a string, got 3"),
                                  Field(&ChannelFault::text, "a new channel needs a restart")));
}

TEST_F(PluginHostTest, TurnsACallbackIntoEventsAndAReply) {
  run_doing("accept");
  const auto reply = host->parse_webhook(0, {"POST", "", "", "secret:v-1", {}});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 202);
  EXPECT_EQ(reply->body, "noted");
  EXPECT_EQ(reply->content_type, "text/plain");
  ASSERT_EQ(reply->events.size(), 1u);
  EXPECT_EQ(reply->events[0].vendor_id, "v-1");
  EXPECT_EQ(reply->events[0].at_ms, clock.wall_ms());
}

TEST_F(PluginHostTest, ShowsTheRequestToTheVendorWithoutItsSecretsEvenIfThePluginForgotToHideThem) {
  run({channel(R"({"do": "accept", "password": "hunter22"})")});
  const auto preview = host->preview(0, *make_parcel(1));
  ASSERT_TRUE(preview) << preview.error().message;
  ASSERT_EQ(preview->requests.size(), 1u);
  const VendorRequest& r = preview->requests[0];
  EXPECT_EQ(r.method, "POST");
  EXPECT_EQ(r.url, "https://api.example/?key=***");
  EXPECT_THAT(r.headers,
              ElementsAre(std::pair<std::string, std::string>("Authorization", "***"), std::pair("x-key", "v=***;")));
  EXPECT_EQ(r.body, "*** *** hunter2");
  EXPECT_THAT(preview->warnings, ElementsAre(Field(&Preview::Remark::detail, "is cut to 5 characters")));
  EXPECT_TRUE(preview->errors.empty());
}

TEST_F(PluginHostTest, ADryRunSaysWhyTheChannelWouldRefuse) {
  const auto error = [&](const char* what) {
    run_doing(what);
    const auto preview = host->preview(0, *make_parcel(1));
    EXPECT_TRUE(preview);
    EXPECT_EQ(preview->requests.size(), 0u);
    EXPECT_EQ(preview->errors.size(), 1u);
    return preview->errors.at(0).field + " " + preview->errors.at(0).detail;
  };
  EXPECT_EQ(error("refuse"), "/overrides/one/ttl must be at most 7, got 8");
  EXPECT_THAT(error("throw"), HasSubstr("no more ideas"));
  EXPECT_THAT(error("never"), HasSubstr("GW_E_INVALID"));
  run_doing("accept");
  EXPECT_THAT(host->preview(0, *make_parcel(1, 0, 4))->errors,
              ElementsAre(Field(&Preview::Remark::detail, HasSubstr("4 targets"))));
}

TEST_F(PluginHostTest, RefusesCallbacksThatAreForgedOrBroken) {
  run_doing("accept");
  const auto code = [&](const char* method, std::string body) {
    return host->parse_webhook(0, {method, "", "", std::move(body), {}}).error().code;
  };
  EXPECT_EQ(code("POST", "guess:v-1"), Code::forbidden);
  EXPECT_EQ(code("POST", "secret:"), Code::invalid);
  EXPECT_EQ(code("GET", "secret:v-1"), Code::unsupported);
  EXPECT_EQ(code("POST", "secret:" + std::string(1000, 'x')), Code::invalid);
  EXPECT_EQ(code("POST", "throw"), Code::internal);
  host->stop(0);
  EXPECT_EQ(code("POST", "secret:v-1"), Code::unavailable);
}

TEST_F(PluginHostTest, CountsWhatAChannelDoes) {
  run_doing("twice");
  ASSERT_TRUE(host->submit(0, make_parcels(2)));
  sink.wait_settlements(2);
  std::map<std::string, double> figures;
  host->collect_metrics([&](const MetricSample& s) { figures[s.name + "/" + s.labels[0].second] = s.value; });
  EXPECT_EQ(figures.at("channel_window/one"), 16);
  EXPECT_EQ(figures.at("plugin_misbehaviours_total/one"), 2);
}

}  // namespace
}  // namespace godwit::channels
