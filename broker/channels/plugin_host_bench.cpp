// What the way through a lane costs: submit, the plugin's call, settling, and the batch to the sink, with the loopback
// channel answering inside submit. Goal: above 200,000 messages/s on one core.
#include <benchmark/benchmark.h>
#include <spdlog/spdlog.h>

#include <condition_variable>

#include "broker/channels/plugin_host.hpp"
#include "broker/channels/testing/parcels.hpp"
#include "broker/channels/testing/temp_folder.hpp"

namespace godwit::channels {
namespace {

class CountingSink final : public ChannelSink {
 public:
  void settled(std::vector<Settlement> settlements) override {
    std::lock_guard lock(mutex_);
    settled_ += settlements.size();
    changed_.notify_one();
  }
  bool events(std::vector<ChannelEvent>) override { return true; }
  void room(ChannelNo) override { changed_.notify_one(); }
  void wait_settled(size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return settled_ >= n; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t settled_ = 0;
};

void BM_SubmitAndSettle(benchmark::State& state) {
  spdlog::set_level(spdlog::level::warn);
  const auto batch = static_cast<size_t>(state.range(0));
  TempFolder temp;
  SystemClock clock;
  CountingSink sink;
  PluginHostOptions options;
  options.data_dir = temp.path();
  options.plugin_dirs = {PLUGIN_DIR};
  std::vector<ChannelFault> faults;
  auto host = PluginHost::open({{"loop", "loopback", "inline", R"({"receipts": false, "window": 65536})", true}},
                               options, PluginHostPorts{clock, nullptr, nullptr, {}}, faults);
  if (!host) return state.SkipWithError(faults[0].text.c_str());
  host->start(sink);

  const auto parcels = make_parcels(batch, clock.mono_ns() + 1000 * kNsPerSecond);
  size_t sent = 0;
  for (auto _ : state) {
    while (host->credit(0, clock.mono_ns()) < batch) sink.wait_settled(sent);
    if (host->submit(0, parcels)) sent += batch;
  }
  sink.wait_settled(sent);
  state.SetItemsProcessed(static_cast<int64_t>(sent));
}
// CPU time of the whole process, because the work happens on the lane's thread.
BENCHMARK(BM_SubmitAndSettle)->Arg(1)->Arg(16)->Arg(256)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace godwit::channels

BENCHMARK_MAIN();
