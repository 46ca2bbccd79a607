// DecisionLog: what `godwit replay` reads: the decisions.ndjson that a broker writes (docs/routing.md).
//
// A line is used, or counted under the reason why it cannot be. What is not as the broker writes it (a torn line, a
// probability that is none, a choice that was no candidate) is damaged and never enters an estimate. Single-threaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.hpp"
#include "broker/routing/replay.hpp"

namespace godwit::cli {

struct DecisionFilter {
  std::string app, priority;  // empty: any
};

struct DecisionLog {
  std::vector<routing::LoggedDecision> decisions;
  uint64_t lines = 0;
  uint64_t others = 0;   // of another app or priority than asked for
  uint64_t probes = 0;   // sent to look at a sick channel, whatever the policy
  uint64_t untold = 0;   // no receipt could tell
  uint64_t damaged = 0;  // not as the broker writes it
  uint64_t alone = 0;    // used, though there was nothing to choose from

  void add(std::string_view line, const DecisionFilter& filter);

  bool has_channel(std::string_view name) const;
};

// An error names the file, or says why nothing in it can be replayed.
Result<DecisionLog> read_decision_log(const std::vector<std::string>& files, const DecisionFilter& filter);

}  // namespace godwit::cli
