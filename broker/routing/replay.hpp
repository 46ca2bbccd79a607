// Replay: what another policy would have delivered with the first sends that a log recorded, estimated from the
// probabilities with which they were chosen.
//
// Two estimates that fail differently. Inverse propensity (self-normalised) trusts the logged propensities only: right
// on average, wide where the policies rarely agree. Doubly robust takes the router's own p of each channel as a model
// and corrects it where the logged choice agrees: narrower, and right as long as one of the two is. Weights are cut at
// 400. Where the log hardly ever agrees with the policy, or never tried much of what it would choose, nothing corrects
// the model, and an interval would only say how sure the model is of itself; then there is no estimate.
//
// Pure and single-threaded. A decision that cannot teach (a probe, an outcome that nobody could tell) must not be
// given.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "broker/routing/interval.hpp"

namespace godwit::routing {

struct LoggedDecision {
  struct Candidate {
    std::string channel;
    double p = 0;  // the router's belief then
  };
  std::vector<Candidate> candidates;  // that were awake
  size_t chosen = 0;                  // index of the one that was sent on
  double propensity = 1;              // probability of that choice
  bool delivered = false;             // its receipt came
  std::string manufacturer;
};

// The probability of each candidate; they sum to 1.
using ReplayPolicy = std::function<std::vector<double>(const LoggedDecision&)>;

struct ReplayValue {
  double mean = 0;
  Interval interval;  // 95 %
};
struct ReplayResult {
  size_t decisions = 0;
  double effective = 0;  // decisions that the inverse propensity estimate is worth
  double agreement = 0;  // share of logged choices that the policy would have made too
  ReplayValue logged;    // what really happened
  ReplayValue inverse_propensity, doubly_robust;

  // The weights of a policy sum to the number of decisions, but for chance; they fall short when much of what it would
  // choose had no chance to be logged.
  bool covered = true;

  static constexpr double kLeastEffective = 30;
  bool is_estimate() const { return covered && effective >= kLeastEffective; }  // else both span 0 to 1
};

ReplayResult replay(std::span<const LoggedDecision> log, const ReplayPolicy& policy);

// Policies that need nothing but the log.
ReplayPolicy as_believed();                            // the best p, without exploration
ReplayPolicy uniform();                                // any candidate
ReplayPolicy in_order(std::vector<std::string> wish);  // the first of these that is a candidate, else the best p
// The channel with the best logged rate at this manufacturer, as a static table would have it. `log` is what the table
// is made from; to judge it fairly replay it over another part.
ReplayPolicy static_best(std::span<const LoggedDecision> log);

}  // namespace godwit::routing
