// Study: the asked policies and the oracle on the same source, for each seed, as single sends and as cascades; summed
// up with intervals over the seeds.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/engine.hpp"

namespace godwit::sim {

using SourceOf = std::function<std::unique_ptr<Source>(uint64_t seed)>;

struct Outcome {
  Score single, cascade;
};

// One seed: outcomes by policy; "oracle" is always among them.
struct SeedResult {
  uint64_t seed = 0;
  std::map<std::string, Outcome> by_policy;
};

struct Study {
  Setting setting;
  std::vector<std::string> policies;
  std::vector<SeedResult> seeds;
};

struct StudyPlan {
  std::vector<std::string> policies;
  std::vector<uint64_t> seeds;
  bool single = true, cascade = true;
};

// `progress` gets the share of all work that is done and what is being done.
Study run_study(const SourceOf& source_of, const StudyPlan& plan,
                const std::function<void(double, const std::string&)>& progress);

// Mean over seeds with a 95 % interval (Student's t).
struct Estimated {
  double mean = 0, low = 0, high = 0;
};
Estimated estimated(const std::vector<double>& values);

// The figures of one policy, over the seeds. Shares are of the oracle on the same fates.
struct Figures {
  Estimated delivered, utility, utility_share, oracle_share, first_send_share, first_in_time, sends_per_message,
      duplicates, visible_duplicates, cost, paid_per_1000, regret_per_1000, p50_s, p95_s, p95_high_ratio;
  Estimated single_delivered, alarms_per_day;
};
Figures figures(const Study& study, const std::string& policy);

}  // namespace godwit::sim
