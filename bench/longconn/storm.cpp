#include "bench/longconn/storm.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

namespace godwit::bench {
namespace {

// Posts a message every few milliseconds to one device after the other.
class Backend {
 public:
  Backend(Target& target, size_t devices)
      : thread_([this, &target, devices] {
          for (size_t n = 0; !stop_; ++n) {
            const double seconds = target.post(n * 7919 % devices);
            std::lock_guard lock(mutex_);
            seconds_.push_back(seconds);
            usleep(2'000);
          }
        }) {}
  ~Backend() { finish(); }
  // How many were accepted.
  size_t finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return seconds_.size();
  }
  double ms(double quantile) {
    std::sort(seconds_.begin(), seconds_.end());
    return seconds_.empty() ? 0
                            : 1000 * seconds_[static_cast<size_t>(quantile * static_cast<double>(seconds_.size() - 1))];
  }

 private:
  std::mutex mutex_;
  std::vector<double> seconds_;  // guarded by mutex_ until finish()
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

void must(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "longconn: storm: %s\n", what);
  std::exit(1);
}

}  // namespace

nlohmann::json storm(Target& target, size_t connections) {
  const auto logins = target.logins(connections);
  auto before = std::make_unique<Swarm>(target.port(false), false);
  before->connect(logins, 1000);
  before->reset();
  Backend quiet(target, connections);
  const auto begun = Swarm::Clock::now();
  while (Swarm::Clock::now() - begun < std::chrono::seconds(3)) before->run_until(before->received() + 1);
  must(before->run_until(quiet.finish()), "a message was lost before the storm");

  Backend stormy(target, connections);
  before->disconnect(false);
  Swarm after(target.port(false), false);
  after.reset();
  const double seconds = after.connect(logins, connections);  // all of them at once
  const size_t accepted = stormy.finish();
  if (!after.run_until(accepted, std::chrono::seconds(60))) {
    std::fprintf(stderr, "longconn: storm: %zu of %zu messages came\n", static_cast<size_t>(after.received()),
                 accepted);
    std::exit(1);
  }
  return {{"devices", connections},
          {"all_back_s", seconds},
          {"connects_per_s", static_cast<double>(connections) / seconds},
          {"lost_messages", 0},
          {"accept_ms_before", {{"p50", quiet.ms(0.5)}, {"p99", quiet.ms(0.99)}}},
          {"accept_ms_in_the_storm", {{"p50", stormy.ms(0.5)}, {"p99", stormy.ms(0.99)}}}};
}

}  // namespace godwit::bench
