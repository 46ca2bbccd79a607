// Vendor is the pretended vendor: it decides what becomes of a message, by its configuration, the dice and the time.
//
// Knows no host and no queue, so it is tested with plain values. One thread.
#pragma once

#include <string_view>

#include "config.hpp"
#include "dice.hpp"

namespace loopback {

// What becomes of one message for one target.
struct Fate {
  enum Kind { taken, refused, dead_token } kind = taken;
  bool receipt = false;  // somebody will confirm it
};

class Vendor {
 public:
  Vendor(Config config, uint64_t now_ns) : config_(std::move(config)), dice_(config_.seed), outage_origin_ns_(now_ns) {}

  const Config& config() const { return config_; }

  // Outage windows count from here again if they changed; the dice go on.
  void reconfigure(Config config, uint64_t now_ns);

  // Answers within the call and needs no clock: the path for benchmarks.
  bool is_instant() const { return config_.latency.median_ms == 0 && config_.outage.empty(); }

  OutageMode outage(uint64_t now_ns) const;
  uint64_t latency_ns() { return draw(config_.latency); }
  uint64_t receipt_latency_ns() { return draw(config_.receipt_latency); }

  // `extra`: the target's JSON; looked into only if deliver_by is set.
  Fate decide(std::string_view extra, OutageMode outage);

 private:
  uint64_t draw(const Latency& latency);
  double deliver(std::string_view extra) const;

  Config config_;
  Dice dice_;
  uint64_t outage_origin_ns_;
};

}  // namespace loopback
