// What the engine's thread pays for a message: intake, planning, routing, sending, settling, receipt and record, with
// the journal in memory and a channel that answers at once.
#include <benchmark/benchmark.h>

#include "broker/engine/engine_rig.hpp"

namespace {

using namespace godwit;

// Batches of 200 drafts, as one read of an NDJSON stream brings them.
void path_of_a_message(benchmark::State& state) {
  EngineOptions options;
  options.max_finished_deliveries = 50'000;
  EngineRig rig(options);
  for (int i = 0; i < state.range(0); ++i) rig.channels.add("ch" + std::to_string(i), EngineRig::vendor_caps());
  rig.boot();
  std::vector<std::string> on;
  for (int i = 0; i < state.range(0); ++i) on.push_back("ch" + std::to_string(i));
  constexpr int kDevices = 10'000, kBatch = 200;
  for (int i = 0; i < kDevices; ++i) rig.add_device("device-" + std::to_string(i), "user-" + std::to_string(i), on);
  const Disposition answer = state.range(1) ? Disposition::delivered : Disposition::accepted;
  for (auto& channel : rig.channels.channels) {
    channel.credit = 65'536;
    channel.script = [answer](const FakeChannels::Sent&) { return EngineRig::outcome(answer); };
  }
  uint64_t n = 0;
  for (auto _ : state) {
    std::vector<MessageDraft> drafts;
    drafts.reserve(kBatch);
    for (int i = 0; i < kBatch; ++i)
      drafts.push_back(EngineRig::draft("user-" + std::to_string(n++ * 7919 % kDevices)));
    rig.engine->accept(std::move(drafts), [](auto answers) { benchmark::DoNotOptimize(answers); });
    rig.settle_down();
    rig.channels.sent.clear();
    rig.clock.advance_ms(2);
    (void)rig.journal.trim(~0ull);
  }
  state.SetItemsProcessed(static_cast<int64_t>(n));
}
BENCHMARK(path_of_a_message)->ArgNames({"channels", "delivered"})->Args({1, 1})->Args({3, 1})->Args({1, 0});

}  // namespace

BENCHMARK_MAIN();
