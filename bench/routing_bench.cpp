// A routing decision on hot and on random devices, and what an outcome costs, against the physical limit of the same
// run: reading one cache line of a random device.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "bench/support/report.hpp"
#include "broker/base/random.hpp"
#include "broker/routing/device_state.hpp"
#include "broker/routing/router.hpp"

namespace godwit::bench {
namespace {

using namespace godwit::routing;

constexpr WallMs kWall_ms = 1'790'000'000'000;
constexpr size_t kChannels = 8, kMakers = 20, kOses = 10, kRegions = 10;  // 2 000 segments

double now_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

struct Fleet {
  explicit Fleet(uint32_t devices) : count(devices), router(Options{}) {
    for (size_t c = 0; c < kChannels; ++c) {
      ChannelTraits t;
      t.name = "channel" + std::to_string(c);
      t.receipts = ReceiptKind::device;
      t.prior = 0.6 + 0.04 * static_cast<double>(c);
      t.cost = 0.005;
      t.coverage = 0.95;
      router.add_channel(t);
    }
    for (uint32_t d = 0; d < devices; ++d) {
      const std::string maker = "maker" + std::to_string(d % kMakers), os = std::to_string(d / kMakers % kOses),
                        region = "r" + std::to_string(d / (kMakers * kOses) % kRegions);
      router.set_device(d, {maker, "android", os, region, "1.0"}, 0x1f << d % 4);  // five channels of eight
    }
  }

  Ask ask(uint32_t device) {
    for (size_t i = 0; i < offers.size(); ++i) offers[i] = {static_cast<ChannelNo>(device % 4 + i)};
    Ask a;
    a.device = device;
    a.offers = offers;
    a.left_s = 600;
    return a;
  }

  // One message from its decision to its outcome, three of four of which arrive.
  void message(uint32_t device) {
    now += 10'000;
    const Ask a = ask(device);
    const Decision d = router.first(a, now);
    AttemptMemo memo = router.sent(a, d, now, kWall_ms + now / kNsPerMs);
    router.accepted(memo, now);
    const MonoNs later = now + 2 * kNsPerSecond;
    if (random.below(4) != 0) {
      router.receipt(memo, ReceiptKind::device, later, kWall_ms + later / kNsPerMs);
    } else {
      router.silent(memo, later);
    }
  }

  uint32_t count;
  Router router;
  Random random{7};
  std::array<Offer, 5> offers;
  MonoNs now = 1'000'000 * kNsPerSecond;
};

// The work behind `value` must not be optimised away.
template <class T>
void keep(T& value) {
  asm volatile("" : "+r"(value) : : "memory");
}

struct Spread {
  double median = 0, p99 = 0;
};

// ns per call; the clock's own cost is taken off.
template <class F>
Spread each(size_t calls, F f) {
  double clock = 1e9;
  for (int i = 0; i < 1000; ++i) {
    const double a = now_ns(CLOCK_MONOTONIC);
    clock = std::min(clock, now_ns(CLOCK_MONOTONIC) - a);
  }
  std::vector<double> took(calls);
  for (double& t : took) {
    const double a = now_ns(CLOCK_MONOTONIC);
    f();
    t = std::max(0.0, now_ns(CLOCK_MONOTONIC) - a - clock);
  }
  std::sort(took.begin(), took.end());
  return {took[calls / 2], took[calls * 99 / 100]};
}

template <class F>
double cpu_ns(size_t calls, F f) {
  const double start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (size_t i = 0; i < calls; ++i) f();
  return (now_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / static_cast<double>(calls);
}

nlohmann::json measure(uint32_t devices, size_t calls) {
  const double before = resident_bytes();
  const auto fleet = std::make_unique<Fleet>(devices);
  const double memory = resident_bytes() - before;
  for (size_t i = 0; i < calls; ++i)
    fleet->message(static_cast<uint32_t>(fleet->random.below(devices)));  // some history

  uint64_t sum = 0;
  const auto decide = [&](uint32_t device) { sum += fleet->router.first(fleet->ask(device), fleet->now).channel; };
  uint32_t next = 0;
  const Spread hot = each(calls, [&] { decide(next++ % 1000); });
  const Spread random = each(calls, [&] { decide(static_cast<uint32_t>(fleet->random.below(devices))); });
  // As the engine does it: the devices of a message are known a moment before they are decided.
  auto device = static_cast<uint32_t>(fleet->random.below(devices));
  const Spread prefetched = each(calls, [&] {
    const auto then = static_cast<uint32_t>(fleet->random.below(devices));
    fleet->router.prefetch(then);
    decide(std::exchange(device, then));
  });
  const double decision_cpu = cpu_ns(calls, [&] { decide(static_cast<uint32_t>(fleet->random.below(devices))); });
  const double message_cpu =
      cpu_ns(calls, [&] { fleet->message(static_cast<uint32_t>(fleet->random.below(devices))); });

  // The limit: the same number of random lines in the same kind of table, read and nothing else. Each address hangs on
  // what was read before, so that the processor cannot fetch ahead.
  DeviceTable lines;
  for (uint32_t i = 0; i < devices; ++i) lines.at(i).tokens = i & 1;
  uint32_t at = 0;
  const Spread limit = each(calls, [&] {
    at = static_cast<uint32_t>(fleet->random.below(devices - 1)) + (at & 1);
    at = lines.find(at)->tokens;
    keep(at);
  });

  nlohmann::json out;
  out["bench"] = "routing";
  out["machine"] = machine();
  out["godwit"] = {{"devices", devices},
                   {"segments", kMakers * kOses * kRegions},
                   {"channels_offered", 5},
                   {"decision_hot_ns", hot.median},
                   {"decision_random_ns", random.median},
                   {"decision_random_p99_ns", random.p99},
                   {"decision_prefetched_ns", prefetched.median},
                   {"decision_prefetched_p99_ns", prefetched.p99},
                   {"decision_cpu_ns", decision_cpu},
                   {"message_cpu_ns", message_cpu},  // decision, send, acceptance, receipt or silence
                   {"outcomes_per_s", 1e9 / std::max(1.0, message_cpu - decision_cpu)},
                   {"cores_at_100k_per_s", message_cpu * 1e5 / 1e9},
                   {"state_bytes_per_device", fleet->router.bytes_per_device()},
                   {"memory_bytes_per_device", memory / devices}};
  out["peer"] = {
      {"name", "one random cache line, dependent loads"}, {"median_ns", limit.median}, {"p99_ns", limit.p99}};
  out["ratio"] = random.median / std::max(1.0, limit.median);
  out["goal"] = {{"decision_prefetched_p99_ns", 1000}, {"state_bytes_per_device", 64}, {"cores_at_100k_per_s", 0.5}};
  keep(sum);
  return out;
}

}  // namespace
}  // namespace godwit::bench

int main(int argc, char** argv) {
  CLI::App app("Routing decisions and outcomes, against one random cache line");
  bool json = false, quick = false;
  uint32_t devices = 10'000'000;
  app.add_flag("--json", json);
  app.add_flag("--quick", quick, "a million devices");
  app.add_option("--devices", devices);
  CLI11_PARSE(app, argc, argv);
  if (quick) devices = 1'000'000;
  godwit::bench::print(godwit::bench::measure(devices, quick ? 200'000 : 1'000'000), json);
  return 0;
}
