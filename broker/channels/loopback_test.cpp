// The plugin host and the loopback channel as they ship: a channel on the SDK's C++ layer, with real time and threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include <set>
#include <thread>

#include "broker/channels/plugin_host.hpp"
#include "broker/channels/testing/parcels.hpp"
#include "broker/channels/testing/recording_sink.hpp"
#include "broker/channels/testing/temp_folder.hpp"

namespace godwit::channels {
namespace {

class LoopbackTest : public ::testing::Test {
 protected:
  void run(const std::string& config) {
    PluginHostOptions options;
    options.data_dir = temp.path();
    options.plugin_dirs = {PLUGIN_DIR};
    std::vector<ChannelFault> faults;
    host = PluginHost::open({configured(config)}, options, PluginHostPorts{clock, nullptr, nullptr, {}}, faults);
    ASSERT_TRUE(host) << faults[0].text;
    ASSERT_TRUE(host->start(sink).empty());
    ASSERT_EQ(host->status(0).state, ChannelState::ready);
  }
  static ChannelConfig configured(const std::string& config) { return {"loop", "loopback", "inline", config, true}; }
  void send(size_t n) {
    const auto parcels = make_parcels(n, clock.mono_ns() + 60 * kNsPerSecond);
    while (!host->submit(0, parcels)) std::this_thread::yield();
  }

  TempFolder temp;
  SystemClock clock;
  RecordingSink sink;
  std::unique_ptr<PluginHost> host;
};

TEST_F(LoopbackTest, AcceptsAndReportsReceiptsByTheDevice) {
  run(R"({"seed": 1})");
  send(10);
  const auto settled = sink.wait_settlements(10);
  const auto receipts = sink.wait_events(10);
  ASSERT_EQ(settled.size(), 10u);
  ASSERT_EQ(receipts.size(), 10u);
  std::set<std::string> accepted, received;
  for (const Settlement& s : settled) accepted.insert(s.vendor_id);
  for (const ChannelEvent& e : receipts) {
    EXPECT_TRUE(e.by_device);
    received.insert(e.vendor_id);
  }
  EXPECT_EQ(accepted.size(), 10u);
  EXPECT_EQ(received, accepted) << "each receipt names a message that was accepted";
}

TEST_F(LoopbackTest, FollowsItsLiveConfiguration) {
  run(R"({"accept": 1, "receipts": false, "window": 100})");
  EXPECT_EQ(host->status(0).window, 100u);
  std::promise<std::vector<ChannelFault>> done;
  host->reconfigure({configured(R"({"accept": 0, "receipts": false, "window": 50})")},
                    [&done](std::vector<ChannelFault> faults) { done.set_value(std::move(faults)); });
  EXPECT_TRUE(done.get_future().get().empty());
  EXPECT_EQ(host->status(0).window, 50u);
  send(3);
  for (const Settlement& s : sink.wait_settlements(3)) EXPECT_EQ(s.disposition, Disposition::retry);
}

TEST_F(LoopbackTest, IsDrainedBeforeItStops) {
  run(R"({"latency": 30, "receipts": false})");
  send(20);
  EXPECT_TRUE(host->stop(10'000).empty());
  const auto settled = sink.wait_settlements(20);
  ASSERT_EQ(settled.size(), 20u);
  for (const Settlement& s : settled) EXPECT_EQ(s.disposition, Disposition::accepted) << s.detail;
}

TEST_F(LoopbackTest, LosesNothingWhenManyThreadsSend) {
  run(R"({"latency": 1, "receipts": false})");
  constexpr size_t kThreads = 4, kBatches = 50, kBatch = 20;
  std::vector<std::thread> senders;
  for (size_t t = 0; t < kThreads; ++t)
    senders.emplace_back([&] {
      for (size_t i = 0; i < kBatches; ++i) send(kBatch);
    });
  for (std::thread& t : senders) t.join();
  EXPECT_EQ(sink.wait_settlements(kThreads * kBatches * kBatch).size(), kThreads * kBatches * kBatch);
  EXPECT_EQ(host->status(0).in_flight, 0u);
  EXPECT_EQ(host->describe()[0].misbehaviours, 0u);
}

}  // namespace
}  // namespace godwit::channels
