// Group lane: one call at a time, on any thread, and short.
#include <atomic>
#include <thread>

#include "sdk/check/elf.hpp"
#include "sdk/check/test.hpp"

namespace godwit::check {
namespace {

// A whole life with every kind of call.
void live(testhost::Instance& instance, const std::string& config) {
  require(instance.wait_ready(), "not READY within 30 s");
  for (int round = 0; round < 5; ++round) {
    require(instance.submit({{}, {}}) == GW_OK, "submit was refused");
    instance.cancel(instance.last_ticket());
    instance.wait_settled();
  }
  testhost::DiagLog diag;
  instance.reconfigure(config, diag);
  require(instance.submit({{}}) == GW_OK && instance.wait_settled(), "it does not send after reconfigure");
  instance.drain();
  instance.stop();
  instance.destroy();
}

void migrates_threads(Subject& s) {
  auto instance = s.instance();
  instance->host().lane().migrate_threads(true);
  require(instance->create(s.config()) == GW_OK && instance->start() == GW_OK, "create or start refused");
  live(*instance, s.config());
}

void budget(Subject& s) {
  constexpr uint64_t kNoted = 10'000'000, kTooLong = 1'000'000'000;
  auto instance = s.started();
  live(*instance, s.config());
  uint64_t longest = instance->host().lane().longest_ns();
  std::string text = "one call held the lane for " + std::to_string(longest / 1'000'000) +
                     " ms: hand blocking work to godwit.blocking/1";
  if (longest >= kTooLong) fail(text);
  if (longest >= kNoted) warn(text);
}

void tsan(Subject& s) {
  if (!read_elf(s.path).imports("__tsan_init")) skip("the plugin is not built with -fsanitize=thread");
  auto instance = s.ready();
  std::atomic<bool> ends = false;
  std::thread beside([&] {
    testhost::DiagLog diag;
    while (!ends)
      if (instance->ops().health) instance->ops().health(instance->self(), diag.get());
  });
  for (int round = 0; round < 100; ++round) {
    instance->submit({{}});
    instance->wait_settled();
  }
  ends = true;
  beside.join();
}

}  // namespace

void add_lane_tests(Tests& tests) {
  tests.insert(tests.end(), {{"lane-migrates-threads", "Every call may come on another thread.", migrates_threads},
                             {"lane-budget", "No call holds the lane for a second.", budget, 60},
                             {"lane-tsan", "health beside the lane is no data race.", tsan, 60}});
}

}  // namespace godwit::check
