#include "broker/routing/select.hpp"

#include <algorithm>
#include <cmath>

namespace godwit::routing {

namespace {
constexpr double kShareOfBudget = 50;  // the most that is explored at all, in budgets
constexpr double kHealthyEnough = 0.7;
constexpr double kLeastGap = 0.005;
constexpr double kPriceStep = 0.002;
constexpr double kLeastPrice = 1, kMostPrice = 1e6;
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

void Exploration::spent(double expected_loss) {
  if (budget <= 0) return;
  price = std::clamp(price * std::exp(kPriceStep * (expected_loss / budget - 1)), kLeastPrice, kMostPrice);
}

double set_propensities(std::span<Candidate> candidates, size_t best, const Exploration& exploration) {
  const double most = std::min(0.5, kShareOfBudget * exploration.budget);
  double sum = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& c = candidates[i];
    c.propensity = 0;
    if (i == best || exploration.budget <= 0 || c.costly || c.health < kHealthyEnough) continue;
    const double gap = std::max(kLeastGap, candidates[best].p - c.p);
    const double bargain = std::min(1.0, c.worth / (gap * exploration.price));
    c.propensity = most * bargain * bargain * bargain * bargain;
    sum += c.propensity;
  }
  const double scale = sum > most ? most / sum : 1;
  size_t free = 0;
  for (const Candidate& c : candidates) free += !c.costly;
  const bool audited = exploration.budget > 0 && free > 0 && !candidates[best].costly;
  const double mixed = audited ? exploration.audit : 0;
  double others = 0, loss = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& c = candidates[i];
    c.propensity *= scale * (1 - mixed);
    if (i != best) loss += c.propensity * std::max(0.0, candidates[best].p - c.p);
    if (!c.costly && mixed > 0) c.propensity += mixed / static_cast<double>(free);
    if (i != best) others += c.propensity;
  }
  candidates[best].propensity = 1 - others;
  return loss;
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
