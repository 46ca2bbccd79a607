// Blue/green reload against real shared libraries: what the new instance may do wrong, and what becomes of the old one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include "broker/channels/plugin_host.hpp"
#include "broker/channels/testing/parcels.hpp"
#include "broker/channels/testing/recording_sink.hpp"
#include "broker/channels/testing/temp_folder.hpp"

namespace godwit::channels {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReloadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options.data_dir = temp.path() / "data";
    options.plugin_dirs = {TEST_PLUGIN_DIR, PLUGIN_DIR};
    options.manual_time = true;
    options.reload_drain_ms = 60'000;
    put("misbehaving");
  }

  // The plugin's file becomes a copy of another one, with something behind its end to make it another file.
  void put(const std::string& plugin, const std::string& behind = "") {
    std::ifstream in(fs::path(TEST_PLUGIN_DIR) / (plugin + ".so"), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    write(bytes + behind);
  }
  void write(const std::string& bytes) {
    const fs::path beside = temp.path() / "beside";
    std::ofstream(beside, std::ios::binary) << bytes;
    fs::permissions(beside, fs::perms::owner_all);
    fs::rename(beside, file);
  }

  ChannelConfig doing(const std::string& what, const std::string& more = "") const {
    return {"one", file.string(), "inline", R"({"do": ")" + what + "\"" + more + "}", true};
  }
  void run(ChannelConfig config) {
    std::vector<ChannelFault> faults;
    host = PluginHost::open({std::move(config)}, options, PluginHostPorts{clock, nullptr, nullptr, {}}, faults);
    ASSERT_TRUE(host) << faults.front().text;
    ASSERT_THAT(host->start(sink), IsEmpty());
  }
  // With `gate` another value each time, no change is live only.
  std::vector<ChannelFault> change_to(const std::string& what) {
    std::promise<std::vector<ChannelFault>> done;
    host->reconfigure({doing(what, ", \"gate\": " + std::to_string(++gate))},
                      [&done](std::vector<ChannelFault> faults) { done.set_value(std::move(faults)); });
    return done.get_future().get();
  }
  ReloadReport reload() {
    std::promise<ReloadReport> done;
    host->reload(0, [&done](ReloadReport report) { done.set_value(std::move(report)); });
    return done.get_future().get();
  }
  // Fails the test instead of waiting for ever.
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return condition();
  }
  bool is_serving() {  // and settles with what the instance's configuration says: accepted
    const size_t before = sink.wait_settlements(0).size();
    if (!host->submit(0, make_parcels(1))) return false;
    const auto all = sink.wait_settlements(before + 1);
    return all.size() == before + 1 && all.back().disposition == Disposition::accepted;
  }

  TempFolder temp;
  const fs::path file = temp.path() / "vendor.so";
  int gate = 0;
  ManualClock clock;
  RecordingSink sink;
  PluginHostOptions options;
  std::unique_ptr<PluginHost> host;
};

// ---- it works ----------------------------------------------------------------------------------------------------

TEST_F(ReloadTest, GivesAChannelWithChangesThatAreNotLiveAFreshInstance) {
  run(doing("refuse"));
  EXPECT_THAT(change_to("accept"), IsEmpty());
  EXPECT_TRUE(is_serving());
}

TEST_F(ReloadTest, AppliesLiveChangesInPlace) {
  run(doing("refuse"));
  std::promise<void> done;
  host->reconfigure({doing("accept")}, [&done](auto) { done.set_value(); });
  done.get_future().wait();
  EXPECT_TRUE(is_serving());
  EXPECT_EQ(host->describe()[0].misbehaviours, 0u);
  EXPECT_EQ(std::distance(fs::directory_iterator(options.data_dir / "run" / "plugins"), {}), 1);
}

TEST_F(ReloadTest, LoadsTheFileThatHasTakenThePlaceOfTheOldOne) {
  run(doing("accept"));
  const ReloadReport same = reload();
  EXPECT_TRUE(same.switched) << same.text;
  EXPECT_EQ(same.step, "switch");
  EXPECT_EQ(same.library_before, same.library_after);
  put("misbehaving", "a later build");
  const ReloadReport other = reload();
  EXPECT_TRUE(other.switched) << other.text;
  EXPECT_EQ(other.library_before, same.library_after);
  EXPECT_NE(other.library_before, other.library_after);
  EXPECT_EQ(other.version_after, "0.1.0");
  EXPECT_TRUE(is_serving());
}

TEST_F(ReloadTest, ChecksNewSettingsBeforeItTouchesAnything) {
  run(doing("accept"));
  EXPECT_THAT(change_to("bad_config"), ElementsAre(Field(&ChannelFault::pointer, "/do")));
  EXPECT_TRUE(is_serving());
}

TEST_F(ReloadTest, NoticesAnotherFileWhenTheConfigurationIsReadAgain) {
  run(doing("accept"));
  put("misbehaving_wider", "");
  std::promise<std::vector<ChannelFault>> done;
  host->reconfigure({doing("accept")}, [&done](std::vector<ChannelFault> f) { done.set_value(std::move(f)); });
  EXPECT_THAT(done.get_future().get(), ElementsAre(Field(&ChannelFault::text, HasSubstr("(targets of a message)"))));
}

// ---- what may go wrong: the running instance goes on ----------------------------------------------------------------

struct Wrong {
  const char* what;
  const char* step;
  const char* words;
};
class ReloadThatFails : public ReloadTest, public ::testing::WithParamInterface<Wrong> {};

TEST_P(ReloadThatFails, NamesTheStepAndLeavesTheRunningInstanceAlone) {
  options.ready_patience_ms = 50;
  run(doing("accept"));
  const auto faults = change_to(GetParam().what);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_THAT(faults[0].text,
              HasSubstr("not reloaded, the running instance goes on; step `" + std::string(GetParam().step) + "`: "));
  EXPECT_THAT(faults[0].text, HasSubstr(GetParam().words));
  EXPECT_TRUE(is_serving());
  EXPECT_EQ(host->status(0).state, ChannelState::ready);
  EXPECT_TRUE(reload().switched) << "with the configuration that held before";
}

INSTANTIATE_TEST_SUITE_P(Of, ReloadThatFails,
                         ::testing::Values(Wrong{"fail_create", "create", "create was told to fail"},
                                           Wrong{"throw_in_create", "create", "the licence is in another coat"},
                                           Wrong{"fail_start", "start", "start was told to fail"},
                                           Wrong{"never_ready", "ready", "not ready within 50 ms: it is starting"},
                                           Wrong{"broken_for_good", "ready", "it is failed (the account is closed)"}),
                         [](const auto& each) { return std::string(each.param.what); });

TEST_F(ReloadTest, LoadsNothingThatCrashesInTheChildOrIsNoPlugin) {
  run(doing("accept"));
  put("broken_crash");
  ReloadReport report = reload();
  EXPECT_FALSE(report.switched);
  EXPECT_EQ(report.step, "check");
  EXPECT_THAT(report.text, HasSubstr("loading it crashes"));
  put("broken_no_symbol");
  report = reload();
  EXPECT_EQ(report.step, "load");
  EXPECT_THAT(report.text, HasSubstr("so it is no plugin of this broker"));
  write("#!/bin/sh\n");
  report = reload();
  EXPECT_EQ(report.step, "copy") << report.text;
  EXPECT_THAT(report.text, HasSubstr("vendor.so"));
  fs::remove(file);
  report = reload();
  EXPECT_EQ(report.step, "copy");
  EXPECT_TRUE(is_serving());
  EXPECT_EQ(std::distance(fs::directory_iterator(options.data_dir / "run" / "plugins"), {}), 1)
      << "copies of what was refused are gone";
}

TEST_F(ReloadTest, TakesNoOtherChannelForTheSameOne) {
  run(doing("accept"));
  std::ifstream in(fs::path(PLUGIN_DIR) / "loopback.so", std::ios::binary);
  write(std::string{std::istreambuf_iterator<char>(in), {}});
  std::promise<std::vector<ChannelFault>> done;
  host->reconfigure({{"one", file.string(), "inline", "{}", true}},
                    [&done](std::vector<ChannelFault> f) { done.set_value(std::move(f)); });
  EXPECT_THAT(done.get_future().get(),
              ElementsAre(Field(&ChannelFault::text, HasSubstr("of type 'loopback', not 'misbehaving'"))));
  EXPECT_TRUE(is_serving());
}

TEST_F(ReloadTest, LeavesADisabledChannelToTheNextStart) {
  ChannelConfig off = doing("accept");
  off.enabled = false;
  run(off);
  const ReloadReport report = reload();
  EXPECT_FALSE(report.switched);
  EXPECT_THAT(report.text, HasSubstr("disabled in the configuration"));
  EXPECT_EQ(host->status(0).state, ChannelState::stopped);
}

TEST_F(ReloadTest, AnswersEveryReloadWhenTheHostStops) {
  run(doing("accept"));
  std::promise<std::vector<ChannelFault>> waits;
  std::promise<ReloadReport> queued, late;
  host->reconfigure({doing("never_ready", ", \"gate\": 1")},
                    [&waits](std::vector<ChannelFault> f) { waits.set_value(std::move(f)); });
  host->reload(0, [&queued](ReloadReport r) { queued.set_value(std::move(r)); });
  EXPECT_THAT(host->stop(0), IsEmpty());
  host->reload(0, [&late](ReloadReport r) { late.set_value(std::move(r)); });
  waits.get_future().get();
  EXPECT_EQ(queued.get_future().get().text, "the broker stops");
  EXPECT_EQ(late.get_future().get().text, "the broker stops");
}

// ---- what is with the old instance --------------------------------------------------------------------------------

TEST_F(ReloadTest, LetsTheOldInstanceSettleWhatItHasAndCancelReachIt) {
  run(doing("on_cancel"));
  ASSERT_TRUE(host->submit(0, make_parcels(2)));
  EXPECT_THAT(change_to("accept"), IsEmpty());
  EXPECT_EQ(host->status(0).in_flight, 2u) << "still with the channel";
  EXPECT_EQ(host->credit(0, clock.mono_ns()), 4u) << "the fresh one has room of its own";
  host->cancel(0, 1);
  auto got = sink.wait_settlements(1);
  EXPECT_THAT(got, ElementsAre(Field(&Settlement::disposition, Disposition::cancelled)));
  EXPECT_TRUE(is_serving());
  host->cancel(0, 2);
  EXPECT_EQ(sink.wait_settlements(3).size(), 3u);
  EXPECT_TRUE(eventually([&] { return host->status(0).in_flight == 0; }));
}

TEST_F(ReloadTest, StopsAnOldInstanceThatDoesNotFinishInTime) {
  options.reload_drain_ms = 20;
  run(doing("at_stop"));
  ASSERT_TRUE(host->submit(0, make_parcels(2)));
  EXPECT_THAT(change_to("accept"), IsEmpty());
  EXPECT_THAT(sink.wait_settlements(2), Each(Field(&Settlement::disposition, Disposition::cancelled)));
  EXPECT_TRUE(is_serving());
}

TEST_F(ReloadTest, LetsNothingThatTheOldInstanceSaysOfDevicesUndoTheNewPicture) {
  run(doing("presence"));
  ASSERT_THAT(change_to("presence"), IsEmpty());
  ASSERT_THAT(change_to("accept"), IsEmpty());
  host.reset();  // every instance has ended
  std::vector<std::string> told;
  for (const ChannelEvent& e : sink.wait_events(4))
    told.push_back(e.kind == ChannelEvent::Kind::presence_reset ? "nobody" : e.address);
  EXPECT_THAT(told, ElementsAre("nobody", "somebody", "nobody", "somebody"));
}

TEST_F(ReloadTest, KeepsAFailedNewInstanceFromTouchingThePresenceOfTheOldOne) {
  options.ready_patience_ms = 50;
  run(doing("presence"));
  EXPECT_THAT(change_to("presence_never_ready"),
              ElementsAre(Field(&ChannelFault::text, HasSubstr("not ready within 50 ms"))));
  host.reset();
  EXPECT_EQ(sink.wait_events(3).size(), 3u) << "only the running one spoke, last in its stop";
}

TEST_F(ReloadTest, CountsOnWhereTheOldInstanceEnded) {
  run(doing("twice"));
  ASSERT_TRUE(host->submit(0, make_parcels(2)));
  sink.wait_settlements(2);
  const auto misbehaviours = [&] {
    std::vector<double> values;
    host->collect_metrics([&](const MetricSample& s) {
      if (s.name == "plugin_misbehaviours_total") values.push_back(s.value);
    });
    return values;
  };
  ASSERT_TRUE(eventually([&] { return misbehaviours() == std::vector<double>{2}; }));
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(change_to("accept"), IsEmpty());
    EXPECT_THAT(misbehaviours(), ElementsAre(2.0)) << "one figure, and it does not fall";
  }
}

TEST_F(ReloadTest, TakesCallbacksAllTheTime) {
  run(doing("accept"));
  std::atomic<bool> over{false};
  std::atomic<int> answered{0}, refused{0};
  std::thread vendor([&] {
    while (!over) ++(host->parse_webhook(0, {"POST", "", "", "secret:v-1", {}}) ? answered : refused);
  });
  for (int i = 0; i < 10; ++i) EXPECT_THAT(change_to("accept"), IsEmpty());
  EXPECT_TRUE(eventually([&] { return answered > 0; }));
  over = true;
  vendor.join();
  EXPECT_EQ(refused, 0);
}

TEST_F(ReloadTest, LosesNoMessageThatIsHandedOverMeanwhile) {
  run(doing("accept"));
  std::atomic<bool> over{false};
  size_t taken = 0;
  std::thread engine([&] {
    while (!over) taken += host->submit(0, make_parcels(1));
  });
  for (int i = 0; i < 10; ++i) EXPECT_THAT(change_to("accept"), IsEmpty());
  over = true;
  engine.join();
  const auto got = sink.wait_settlements(taken);
  EXPECT_EQ(got.size(), taken);
  EXPECT_THAT(got, Each(Field(&Settlement::disposition, Disposition::accepted)));
}

TEST_F(ReloadTest, LeaksNoDescriptorAndNoThreadInFiftyReloads) {
  const auto count = [](const char* folder) { return std::distance(fs::directory_iterator(folder), {}); };
  run(doing("accept"));
  const auto settled = [&] { return reload().switched && is_serving(); };
  ASSERT_TRUE(settled());
  const auto descriptors = count("/proc/self/fd"), threads = count("/proc/self/task");
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(settled());
  EXPECT_LE(count("/proc/self/fd"), descriptors);
  EXPECT_LE(count("/proc/self/task"), threads);
}

}  // namespace
}  // namespace godwit::channels
