#include "broker/routing/select.hpp"

#include <algorithm>
#include <cmath>

namespace godwit::routing {

namespace {
constexpr double kShareOfBudget = 50;  // the most that is explored at all, in budgets
constexpr double kHealthyEnough = 0.7;
}  // namespace

size_t best_first(std::span<const Candidate> candidates) {
  size_t best = 0;
  for (size_t i = 1; i < candidates.size(); ++i) {
    const Candidate& a = candidates[i];
    const Candidate& b = candidates[best];
    if (a.costly != b.costly ? b.costly : a.utility > b.utility) best = i;
  }
  return best;
}

void set_propensities(std::span<Candidate> candidates, size_t best, double budget, double audit) {
  const double most = std::min(0.5, kShareOfBudget * budget);
  double sum = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& c = candidates[i];
    c.propensity = 0;
    if (i == best || budget <= 0 || c.costly || c.health < kHealthyEnough) continue;
    const double gap = std::max(0.005, candidates[best].p - c.p);
    const double sd = 1.5 * std::sqrt(std::max(0.02, c.p * (1 - c.p)) / (c.trials + 1));
    const double z = gap / sd;
    c.propensity = std::min(most, budget / gap * std::exp(-0.5 * z * z));
    sum += c.propensity;
  }
  const double scale = sum > most ? most / sum : 1;
  size_t free = 0;
  for (const Candidate& c : candidates) free += !c.costly;
  const double mixed = budget > 0 && free > 0 && !candidates[best].costly ? audit : 0;
  for (Candidate& c : candidates) {
    c.propensity *= scale * (1 - mixed);
    if (!c.costly && mixed > 0) c.propensity += mixed / static_cast<double>(free);
  }
  double others = 0;
  for (size_t i = 0; i < candidates.size(); ++i)
    if (i != best) others += candidates[i].propensity;
  candidates[best].propensity = 1 - others;
}

size_t draw(std::span<const Candidate> candidates, Random& random) {
  double u = random.uniform();
  size_t last = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].propensity <= 0) continue;
    last = i;
    if (u < candidates[i].propensity) return i;
    u -= candidates[i].propensity;
  }
  return last;
}

}  // namespace godwit::routing
