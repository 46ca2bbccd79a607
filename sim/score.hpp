// Score: what a run was worth, per message and over time. Only messages of the measured part of the run count.
#pragma once

#include <string>
#include <vector>

#include "broker/routing/histogram.hpp"
#include "sim/policy.hpp"
#include "sim/reaction.hpp"

namespace godwit::sim {

struct ClassScore {
  std::string name;
  double messages = 0, delivered = 0;
  routing::LogHistogram latency{1, 1, 1e-9};
};

// A slice of time, for the curves.
struct Slice {
  double messages = 0, delivered = 0, regret = 0;
  std::vector<double> first_on;  // by channel
};

class Score {
 public:
  Score() = default;
  Score(const Setting& setting, double duplicate_penalty);

  void add(const Setting& setting, const InFlight& m);

  double messages = 0;
  double delivered = 0;      // in time
  double first_in_time = 0;  // by the first send
  double sends = 0, paid = 0, cost = 0;
  double raw_duplicates = 0, visible_duplicates = 0;
  double utility = 0;  // value * delivered - cost - penalty * visible duplicates
  double regret = 0;   // of first sends, in expected deliveries
  double explored_critical = 0;
  routing::LogHistogram latency{1, 1, 1e-9};
  std::vector<ClassScore> classes;
  std::vector<Slice> slices;
  double slice_s = 600;
  std::vector<Reaction> reactions;
  double alarms_raised = 0, alarms_left = 0;  // of the router, in the measured part; still on at the end
  std::vector<std::string> left;              // which, for people
  Calibration calibration{};
  double wall_s = 0;

  double per_message(double v) const { return messages > 0 ? v / messages : 0; }

 private:
  double penalty_ = 0;
};

}  // namespace godwit::sim
