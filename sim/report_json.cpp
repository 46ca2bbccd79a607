#include <nlohmann/json.hpp>

#include "sim/report.hpp"

namespace godwit::sim {

namespace {

using Json = nlohmann::ordered_json;

Json reactions_of(const Study& study, const std::string& policy, bool single) {
  Json out = Json::array();
  for (const SeedResult& seed : study.seeds) {
    const Outcome& o = seed.by_policy.at(policy);
    for (const Reaction& r : (single ? o.single : o.cascade).reactions)
      out.push_back({{"seed", seed.seed},
                     {"channel", r.channel},
                     {"t0", r.t0},
                     {"t1", r.t1},
                     {"share_before", r.share_before},
                     {"messages", r.looked_at},
                     {"lost", r.lost},
                     {"reacted_s", r.reacted_s < 0 ? Json(nullptr) : Json(r.reacted_s)},
                     {"restored_s", r.restored_s < 0 ? Json(nullptr) : Json(r.restored_s)},
                     {"delivered_inside", r.messages_inside > 0 ? r.delivered_inside / r.messages_inside : 0}});
  }
  return out;
}

Json classes_of(const Study& study, const std::string& policy) {
  Json out = Json::object();
  const Outcome& first = study.seeds.front().by_policy.at(policy);
  const size_t count = first.cascade.messages > 0 ? first.cascade.classes.size() : first.single.classes.size();
  for (size_t i = 0; i < count; ++i) {
    double messages = 0, delivered = 0, p95 = 0;
    std::string name;
    for (const SeedResult& seed : study.seeds) {
      const Outcome& o = seed.by_policy.at(policy);
      const ClassScore& c = (o.cascade.messages > 0 ? o.cascade : o.single).classes[i];
      name = c.name;
      messages += c.messages;
      delivered += c.delivered;
      p95 += c.latency.quantile_s(0.95) / static_cast<double>(study.seeds.size());
    }
    out[name] = {{"messages", messages}, {"delivered", messages > 0 ? delivered / messages : 0}, {"p95_s", p95}};
  }
  return out;
}

}  // namespace

std::string to_json(const Study& study) {
  Json out;
  out["format"] = "push-routing-result/1";
  out["scenario"] = study.setting.name;
  for (const SeedResult& seed : study.seeds) out["seeds"].push_back(seed.seed);
  std::vector<std::string> names = study.policies;
  if (std::find(names.begin(), names.end(), "oracle") == names.end()) names.push_back("oracle");
  for (const std::string& name : names) {
    const Figures f = figures(study, name);
    Json p;
    Json intervals;
    const auto put = [&](const char* key, const Estimated& e) {
      p[key] = e.mean;
      if (study.seeds.size() > 1) intervals[key] = {e.low, e.high};
    };
    put("delivered", f.delivered);
    put("utility", f.utility);
    put("utility_share", f.utility_share);
    put("oracle_share", f.oracle_share);
    put("first_send_share", f.first_send_share);
    put("first_in_time", f.first_in_time);
    put("sends_per_message", f.sends_per_message);
    put("duplicates", f.duplicates);
    put("visible_duplicates", f.visible_duplicates);
    put("cost", f.cost);
    put("paid_per_1000", f.paid_per_1000);
    put("single_delivered", f.single_delivered);
    put("regret_per_1000", f.regret_per_1000);
    put("p50_s", f.p50_s);
    put("p95_s", f.p95_s);
    put("p95_high_ratio", f.p95_high_ratio);
    put("alarms_per_day", f.alarms_per_day);
    p["classes"] = classes_of(study, name);
    p["reactions"] = reactions_of(study, name, false);
    p["single_reactions"] = reactions_of(study, name, true);
    if (!intervals.is_null()) p["intervals_95"] = intervals;
    for (size_t i = 0; i < 10; ++i) {
      CalibrationBin sum;
      for (const SeedResult& seed : study.seeds) {
        const Outcome& o = seed.by_policy.at(name);
        const CalibrationBin& bin = (o.cascade.messages > 0 ? o.cascade : o.single).calibration[i];
        sum.attempts += bin.attempts, sum.expected += bin.expected, sum.came += bin.came;
      }
      if (sum.attempts > 0)
        p["calibration"].push_back(
            {{"attempts", sum.attempts}, {"expected", sum.expected / sum.attempts}, {"came", sum.came / sum.attempts}});
    }
    double alarms_left = 0, wall_s = 0;
    for (const SeedResult& seed : study.seeds) {
      alarms_left += seed.by_policy.at(name).cascade.alarms_left;
      wall_s += seed.by_policy.at(name).cascade.wall_s + seed.by_policy.at(name).single.wall_s;
    }
    p["alarms_left"] = alarms_left / static_cast<double>(study.seeds.size());
    p["wall_s"] = wall_s;
    out["policies"][name] = p;
  }
  const Bars& bars = study.setting.bars;
  if (bars.single_pct > 0 || bars.util_pct > 0)
    out["bars"] = {{"single_pct", bars.single_pct},
                   {"util_pct", bars.util_pct},
                   {"first_pct", bars.first_pct},
                   {"react_msgs", bars.react_msgs},
                   {"recover_s", bars.recover_s}};
  return out.dump(2);
}

}  // namespace godwit::sim
