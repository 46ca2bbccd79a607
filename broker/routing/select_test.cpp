#include "broker/routing/select.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace godwit::routing {
namespace {

Candidate channel(ChannelNo no, double p, double trials = 10, double health = 1, bool costly = false) {
  Candidate c;
  c.channel = no, c.p = p, c.utility = p, c.trials = trials, c.health = health, c.costly = costly;
  return c;
}

TEST(Select, TakesTheBestUtilityAndPaidOnlyWhenThereIsNothingElse) {
  std::array<Candidate, 3> all{channel(0, 0.5), channel(1, 0.7), channel(2, 0.95, 10, 1, true)};
  EXPECT_EQ(best_first(all), 1u);
  EXPECT_EQ(best_first(std::span(all).subspan(2)), 0u);
}

TEST(Select, PropensitiesSumToOneAndMatchTheDraws) {
  std::array<Candidate, 4> all{channel(0, 0.80, 3), channel(1, 0.78, 3), channel(2, 0.5, 3),
                               channel(3, 0.8, 3, 1, true)};
  set_propensities(all, 0, 0.002, 0.01);
  double sum = 0;
  for (const Candidate& c : all) sum += c.propensity;
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(all[3].propensity, 0);
  EXPECT_GT(all[1].propensity, all[2].propensity);
  Random random(7);
  std::array<double, 4> drawn{};
  constexpr double kDraws = 1e6;
  for (int i = 0; i < kDraws; ++i) drawn[draw(all, random)] += 1;
  for (size_t i = 0; i < all.size(); ++i) {
    const double expected = all[i].propensity;
    EXPECT_NEAR(drawn[i] / kDraws, expected, 5 * std::sqrt(expected * (1 - expected) / kDraws) + 1e-9);
  }
}

TEST(Select, ExpectedLossStaysInsideTheBudget) {
  Random random(3);
  for (int round = 0; round < 1000; ++round) {
    std::array<Candidate, 5> all;
    for (ChannelNo i = 0; i < 5; ++i) all[i] = channel(i, random.uniform(), 1 + 20 * random.uniform());
    const size_t best = best_first(all);
    set_propensities(all, best, 0.002, 0);
    double loss = 0, explored = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      loss += all[i].propensity * (all[best].p - all[i].p);
      explored += i == best ? 0 : all[i].propensity;
    }
    EXPECT_LE(loss, 4 * 0.002 + 1e-12);  // the budget for each other channel
    EXPECT_LE(explored, 0.1 + 1e-12);
  }
}

TEST(Select, NoBudgetNeverExplores) {
  std::array<Candidate, 2> all{channel(0, 0.8, 0), channel(1, 0.8, 0)};
  set_propensities(all, 0, 0, 0.1);
  EXPECT_EQ(all[0].propensity, 1);
  EXPECT_EQ(all[1].propensity, 0);
}

TEST(Select, SickChannelsAreNotExplored) {
  std::array<Candidate, 2> all{channel(0, 0.8), channel(1, 0.79, 10, 0.5)};
  set_propensities(all, 0, 0.002, 0);
  EXPECT_EQ(all[1].propensity, 0);
}

}  // namespace
}  // namespace godwit::routing
