// EngineOptions: what an operator may decide about the path of a message. Defaults fit two cores and a few GiB.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "broker/dispatch/retry.hpp"
#include "broker/intake/limits.hpp"
#include "broker/routing/router.hpp"

namespace godwit {

struct AppOptions {
  std::string id;
  std::vector<std::string> channels;  // channel instances that the app may use, in its order; empty: all
};

// What the router should believe of a channel instance beyond what its plugin declares.
struct ChannelOptions {
  std::string name;
  double prior = 0;  // believed delivery rate before any measurement; 0: 0.92 for connections, else 0.7
  std::vector<std::pair<std::string, double>> manufacturer_priors;  // lower-case manufacturer -> rate
  double cost = -1;                                                 // of a send; below 0: what the plugin declares
  double coverage = 1.0;                                            // share of deliveries whose receipt comes back
  double dedupe = 1.0;         // chance that a second arrival on this channel is not shown twice
  double typical_delay_s = 2;  // prior of the receipt delay
  uint8_t path = 0;            // 0 data, 1 SMS: channels of another path reach a device that is silent on this one
};

struct EngineOptions : IntakeLimits {
  std::vector<AppOptions> apps;
  std::vector<ChannelOptions> channels;
  routing::Options router;
  double decision_log_share = 0;  // of deliveries whose first decision is logged for replay

  // Memory, beside intake's.
  uint64_t max_fanout_open = 50'000;           // open deliveries that fan-outs (topic, all) may hold together
  uint64_t max_finished_deliveries = 200'000;  // kept for queries and late receipts; older ones come from the journal

  // Times.
  int64_t query_window_ms = 24 * 3600'000ll;  // how long a finished message can be asked for
  int64_t receipt_wait_ms = 600'000;          // how long a sent delivery stays open for its receipt
  int64_t attempt_deadline_ms = 10'000;       // a channel must settle before this

  // Retries on one channel (reliability.md §4).
  unsigned max_tries = 3;
  int64_t backoff_base_ms = 200, backoff_cap_ms = 60'000;
  dispatch::RetryTokens::Pay retry_tokens;

  // Checkpoints: how much a restart has to replay.
  int64_t checkpoint_every_ms = 30'000;
  uint64_t checkpoint_every_bytes = 64ull << 20;
  int64_t router_snapshot_every_ms = 600'000;
};

}  // namespace godwit
