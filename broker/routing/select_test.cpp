#include "broker/routing/select.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace godwit::routing {
namespace {

Candidate channel(ChannelNo no, double p, double worth = 0, double health = 1, bool costly = false) {
  Candidate c;
  c.channel = no, c.p = p, c.utility = p, c.worth = worth, c.health = health, c.costly = costly;
  return c;
}

TEST(Select, TakesTheBestUtilityAndPaidOnlyWhenThereIsNothingElse) {
  std::array<Candidate, 3> all{channel(0, 0.5), channel(1, 0.7), channel(2, 0.95, 0, 1, true)};
  EXPECT_EQ(best_first(all), 1u);
  EXPECT_EQ(best_first(std::span(all).subspan(2)), 0u);
}

TEST(Select, PropensitiesSumToOneAndMatchTheDraws) {
  std::array<Candidate, 4> all{channel(0, 0.80), channel(1, 0.78, 1), channel(2, 0.5, 0.3),
                               channel(3, 0.8, 1, 1, true)};
  set_propensities(all, 0, {.budget = 0.002, .price = 2, .audit = 0.01});
  double sum = 0;
  for (const Candidate& c : all) sum += c.propensity;
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(all[3].propensity, 0);
  EXPECT_GT(all[1].propensity, all[2].propensity);
  EXPECT_GT(all[2].propensity, 0);
  Random random(7);
  std::array<double, 4> drawn{};
  constexpr double kDraws = 1e6;
  for (int i = 0; i < kDraws; ++i) drawn[draw(all, random)] += 1;
  for (size_t i = 0; i < all.size(); ++i) {
    const double expected = all[i].propensity;
    EXPECT_NEAR(drawn[i] / kDraws, expected, 5 * std::sqrt(expected * (1 - expected) / kDraws) + 1e-9);
  }
}

TEST(Select, ExplorationCostsItsBudgetOnAverageAndNoMore) {
  Random random(3);
  Exploration exploration{.budget = 0.002};
  double loss = 0;
  constexpr int kMessages = 200'000;
  for (int i = 0; i < kMessages; ++i) {
    std::array<Candidate, 5> all;
    for (ChannelNo c = 0; c < 5; ++c) all[c] = channel(c, random.uniform(), 3 * random.uniform());
    const size_t best = best_first(all);
    const double expected = set_propensities(all, best, exploration);
    exploration.spent(expected);
    loss += expected;
    double explored = 0;
    for (size_t k = 0; k < all.size(); ++k) explored += k == best ? 0 : all[k].propensity;
    ASSERT_LE(explored, 0.1 + 1e-12);
  }
  EXPECT_NEAR(loss / kMessages, 0.002, 0.0003);
}

TEST(Select, WhatIsNotWorthItsLossIsNotExploredHoweverMuchBudgetIsLeft) {
  Exploration exploration{.budget = 0.002};
  double explored = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::array<Candidate, 2> all{channel(0, 0.8), channel(1, 0.4, 0.02)};  // 0.4 lost to win 0.02
    exploration.spent(set_propensities(all, 0, exploration));
    explored += all[1].propensity;
  }
  EXPECT_LT(explored / 100'000, 1e-4);
}

TEST(Select, NoBudgetNeverExplores) {
  std::array<Candidate, 2> all{channel(0, 0.8, 9), channel(1, 0.8, 9)};
  EXPECT_EQ(set_propensities(all, 0, {.budget = 0, .audit = 0.1}), 0);
  EXPECT_EQ(all[0].propensity, 1);
  EXPECT_EQ(all[1].propensity, 0);
}

TEST(Select, SickChannelsAreNotExplored) {
  std::array<Candidate, 2> all{channel(0, 0.8), channel(1, 0.79, 9, 0.5)};
  set_propensities(all, 0, {.budget = 0.002, .price = 1});
  EXPECT_EQ(all[1].propensity, 0);
}

}  // namespace
}  // namespace godwit::routing
