#include "sim/study.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace godwit::sim {

Study run_study(const SourceOf& source_of, const StudyPlan& plan,
                const std::function<void(double, const std::string&)>& progress) {
  Study study;
  study.policies = plan.policies;
  std::vector<std::string> all = plan.policies;
  if (std::find(all.begin(), all.end(), "oracle") == all.end()) all.push_back("oracle");
  const double runs = static_cast<double>(all.size() * plan.seeds.size()) * (plan.single + plan.cascade);
  double done = 0;
  for (const uint64_t seed : plan.seeds) {
    SeedResult result;
    result.seed = seed;
    for (const std::string& name : all) {
      Outcome outcome;
      for (const Play play : {Play::single, Play::cascade}) {
        if (play == Play::single ? !plan.single : !plan.cascade) continue;
        const std::unique_ptr<Source> source = source_of(seed);
        if (study.setting.channels.empty()) study.setting = source->setting();
        const std::unique_ptr<Policy> policy = make_policy(name, source->setting(), seed);
        const std::string what =
            name + (play == Play::single ? ", single sends" : ", cascade") + ", seed " + std::to_string(seed);
        (play == Play::single ? outcome.single : outcome.cascade) =
            run(*source, *policy, play, [&](double share) { progress((done + share) / runs, what); });
        done += 1;
      }
      result.by_policy.emplace(name, std::move(outcome));
    }
    study.seeds.push_back(std::move(result));
  }
  progress(1, "done");
  return study;
}

Estimated estimated(const std::vector<double>& values) {
  Estimated e;
  const double n = static_cast<double>(values.size());
  if (values.empty()) return {std::nan(""), std::nan(""), std::nan("")};
  for (const double v : values) e.mean += v / n;
  e.low = e.high = e.mean;
  if (values.size() < 2) return e;
  double squares = 0;
  for (const double v : values) squares += (v - e.mean) * (v - e.mean);
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 0.975);
  const double half = t * std::sqrt(squares / (n - 1) / n);
  e.low -= half, e.high += half;
  return e;
}

Figures figures(const Study& study, const std::string& policy) {
  std::map<std::string, std::vector<double>> v;
  for (const SeedResult& seed : study.seeds) {
    const Outcome& mine = seed.by_policy.at(policy);
    const Outcome& oracle = seed.by_policy.at("oracle");
    const auto ratio = [](double a, double b) { return b > 0 ? a / b : 0; };
    const Score& c = mine.cascade.messages > 0 ? mine.cascade : mine.single;
    const Score& oc = mine.cascade.messages > 0 ? oracle.cascade : oracle.single;
    v["delivered"].push_back(c.per_message(c.delivered));
    v["utility"].push_back(c.per_message(c.utility));
    v["utility_share"].push_back(ratio(c.utility, oc.utility));
    v["oracle_share"].push_back(mine.single.messages > 0 ? ratio(mine.single.delivered, oracle.single.delivered)
                                                         : ratio(c.delivered, oc.delivered));
    v["first_send_share"].push_back(ratio(c.first_in_time, oc.first_in_time));
    v["first_in_time"].push_back(c.per_message(c.first_in_time));
    v["sends"].push_back(c.per_message(c.sends));
    v["duplicates"].push_back(c.per_message(c.raw_duplicates));
    v["visible"].push_back(c.per_message(c.visible_duplicates));
    v["cost"].push_back(c.per_message(c.cost));
    v["paid"].push_back(1000 * c.per_message(c.paid));
    v["regret"].push_back(1000 * mine.single.per_message(mine.single.regret));
    if (c.delivered > 0) {  // else there is none to speak of
      v["p50"].push_back(c.latency.quantile_s(0.5));
      v["p95"].push_back(c.latency.quantile_s(0.95));
    }
    for (size_t i = 0; i < c.classes.size(); ++i)
      if (c.classes[i].name == "high")
        v["p95_high"].push_back(ratio(c.classes[i].latency.quantile_s(0.95), oc.classes[i].latency.quantile_s(0.95)));
    v["single"].push_back(mine.single.per_message(mine.single.delivered));
    v["alarms"].push_back(ratio(c.alarms_raised, (study.setting.end_s - study.setting.warmup_s) / 86400));
  }
  Figures f;
  f.delivered = estimated(v["delivered"]);
  f.utility = estimated(v["utility"]);
  f.utility_share = estimated(v["utility_share"]);
  f.oracle_share = estimated(v["oracle_share"]);
  f.first_send_share = estimated(v["first_send_share"]);
  f.first_in_time = estimated(v["first_in_time"]);
  f.sends_per_message = estimated(v["sends"]);
  f.duplicates = estimated(v["duplicates"]);
  f.visible_duplicates = estimated(v["visible"]);
  f.cost = estimated(v["cost"]);
  f.paid_per_1000 = estimated(v["paid"]);
  f.regret_per_1000 = estimated(v["regret"]);
  f.p50_s = estimated(v["p50"]);
  f.p95_s = estimated(v["p95"]);
  f.p95_high_ratio = estimated(v["p95_high"]);
  f.single_delivered = estimated(v["single"]);
  f.alarms_per_day = estimated(v["alarms"]);
  return f;
}

}  // namespace godwit::sim
