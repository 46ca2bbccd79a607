// The first send: the best expected utility, and now and then another channel to keep knowing it. What exploration may
// cost is a budget in deliveries, so a channel far behind is tried rarely and one close behind often; each channel's
// probability is known exactly, which is what later replay of the log needs.
#pragma once

#include <span>

#include "broker/base/random.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

struct Candidate {
  ChannelNo channel = kNoChannel;
  double p = 0;  // chance of a delivery in time
  double utility = 0;
  double trials = 0;  // device strength + device outcomes: how well p is known
  double health = 1;
  bool costly = false;
  double propensity = 0;
};

// Index of the best first send: costly ones only when there is nothing else. REQUIRES: candidates not empty.
size_t best_first(std::span<const Candidate> candidates);

// Fills every propensity; they sum to 1. `budget` is the expected loss in deliveries a message (0: never explores);
// `audit` is the share of uniformly random sends mixed in.
void set_propensities(std::span<Candidate> candidates, size_t best, double budget, double audit);

// One uniform draw by the propensities.
size_t draw(std::span<const Candidate> candidates, Random& random);

}  // namespace godwit::routing
