#include "broker/routing/replay.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace godwit::routing {

namespace {

constexpr double kMostWeight = 400;
constexpr double kSigmas = 1.96;       // of a normal 95 % interval
constexpr double kLeastCovered = 0.9;  // share of a policy's choices that the log must have had a chance of

struct Moments {
  double n = 0, sum = 0, squares = 0;
  void add(double v) { n += 1, sum += v, squares += v * v; }
  ReplayValue value() const {
    if (n == 0) return {};
    const double mean = sum / n, variance = std::max(0.0, squares / n - mean * mean);
    const double half = kSigmas * std::sqrt(variance / n);
    return {mean, {mean - half, mean + half}};
  }
};

ReplayPolicy choosing(std::function<size_t(const LoggedDecision&)> choose) {
  return [choose = std::move(choose)](const LoggedDecision& d) {
    std::vector<double> out(d.candidates.size());
    out[choose(d)] = 1;
    return out;
  };
}

size_t best_p(const LoggedDecision& d) {
  size_t best = 0;
  for (size_t i = 1; i < d.candidates.size(); ++i)
    if (d.candidates[i].p > d.candidates[best].p) best = i;
  return best;
}

}  // namespace

ReplayResult replay(std::span<const LoggedDecision> log, const ReplayPolicy& policy) {
  ReplayResult out;
  Moments logged, robust;
  double weights = 0, squared_weights = 0, weighted = 0;
  std::vector<std::pair<double, double>> kept;  // weight, reward
  for (const LoggedDecision& d : log) {
    if (d.chosen >= d.candidates.size() || !(d.propensity > 0)) continue;
    const std::vector<double> wanted = policy(d);
    const double reward = d.delivered ? 1 : 0;
    const double weight = std::min(kMostWeight, wanted[d.chosen] / d.propensity);
    double model = 0;
    for (size_t i = 0; i < d.candidates.size(); ++i) model += wanted[i] * d.candidates[i].p;
    logged.add(reward);
    robust.add(model + weight * (reward - d.candidates[d.chosen].p));
    weights += weight, squared_weights += weight * weight, weighted += weight * reward;
    kept.emplace_back(weight, reward);
    out.agreement += wanted[d.chosen];
  }
  out.decisions = kept.size();
  if (kept.empty()) return out;
  const auto n = static_cast<double>(kept.size());
  out.agreement /= n;
  out.logged = logged.value();
  if (weights > 0) out.effective = weights * weights / squared_weights;
  const double mean_weight = weights / n;
  const double error = std::sqrt(std::max(0.0, squared_weights / n - mean_weight * mean_weight) / n);
  out.covered = mean_weight + kSigmas * error >= kLeastCovered;
  out.doubly_robust = robust.value();
  if (weights > 0) out.inverse_propensity.mean = weighted / weights;
  if (!out.is_estimate()) {
    out.inverse_propensity.interval = out.doubly_robust.interval = {0, 1};
    return out;
  }
  const double mean = out.inverse_propensity.mean;
  double spread = 0;  // delta method, of a ratio of sums
  for (const auto& [weight, reward] : kept) spread += weight * weight * (reward - mean) * (reward - mean);
  const double half = kSigmas * std::sqrt(spread) / weights;
  out.inverse_propensity = {mean, {std::max(0.0, mean - half), std::min(1.0, mean + half)}};
  return out;
}

ReplayPolicy as_believed() {
  return choosing(best_p);
}

ReplayPolicy uniform() {
  return [](const LoggedDecision& d) {
    return std::vector<double>(d.candidates.size(), 1 / static_cast<double>(d.candidates.size()));
  };
}

ReplayPolicy in_order(std::vector<std::string> wish) {
  return choosing([wish = std::move(wish)](const LoggedDecision& d) {
    for (const std::string& name : wish)
      for (size_t i = 0; i < d.candidates.size(); ++i)
        if (d.candidates[i].channel == name) return i;
    return best_p(d);
  });
}

ReplayPolicy static_best(std::span<const LoggedDecision> log) {
  struct Seen {
    double delivered = 0, sent = 0;
    double rate() const { return (delivered + 1) / (sent + 2); }
  };
  std::map<std::pair<std::string, std::string>, Seen> table;  // (manufacturer, channel), weighted by 1 / propensity
  for (const LoggedDecision& d : log) {
    if (d.chosen >= d.candidates.size() || !(d.propensity > 0)) continue;
    const double weight = std::min(kMostWeight, 1 / d.propensity);
    Seen& seen = table[{d.manufacturer, d.candidates[d.chosen].channel}];
    seen.sent += weight;
    seen.delivered += d.delivered ? weight : 0;
  }
  return choosing([table = std::move(table)](const LoggedDecision& d) {
    size_t best = 0;
    double best_rate = -1;
    for (size_t i = 0; i < d.candidates.size(); ++i) {
      const auto known = table.find({d.manufacturer, d.candidates[i].channel});
      const double rate = known == table.end() ? 0.5 : known->second.rate();
      if (rate > best_rate) best = i, best_rate = rate;
    }
    return best;
  });
}

}  // namespace godwit::routing
