// The first send: the best expected utility, and now and then another channel that may turn out to be better for this
// device. What exploration may cost is a budget in deliveries; each channel's probability is known exactly, which is
// what later replay of the log needs.
#pragma once

#include <span>

#include "broker/base/random.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

struct Candidate {
  ChannelNo channel = kNoChannel;
  double p = 0;  // chance of a delivery in time
  double utility = 0;
  double worth = 0;  // deliveries to be won, over what this device will still get, by knowing this channel better
  double health = 1;
  bool costly = false;
  double propensity = 0;
};

// Index of the best first send: costly ones only when there is nothing else. REQUIRES: candidates not empty.
size_t best_first(std::span<const Candidate> candidates);

// What exploration may cost, per priority class. The budget holds on average over messages: it is spent where a
// delivery put at risk buys most, so each class has a price that rises while it spends too much. At a price of 1 a
// trial is just worth its loss; cheaper ones are never made, whatever is left of the budget.
struct Exploration {
  double budget = 0;  // expected deliveries that a message may lose; 0: never explores
  double price = kStartPrice;
  double audit = 0;  // share of uniformly random sends mixed in, for replay

  // To be told of every first decision, explored or not.
  void spent(double expected_loss);

  static constexpr double kStartPrice = 4;
};

// Fills every propensity; they sum to 1. Answers the expected loss in deliveries.
double set_propensities(std::span<Candidate> candidates, size_t best, const Exploration& exploration);

// One uniform draw by the propensities.
size_t draw(std::span<const Candidate> candidates, Random& random);

}  // namespace godwit::routing
