// Whatever stands in a decision log, its lines are counted once each, and every estimate from it is finite.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "cli/decision_log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1 << 14) return 0;
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  godwit::cli::DecisionLog log;
  for (std::string line; std::getline(in, line);) log.add(line, {});
  if (log.lines != log.decisions.size() + log.others + log.probes + log.untold + log.damaged) std::abort();
  for (const auto& policy : {godwit::routing::as_believed(), godwit::routing::uniform(),
                             godwit::routing::static_best(log.decisions), godwit::routing::in_order({"a"})}) {
    const godwit::routing::ReplayResult r = godwit::routing::replay(log.decisions, policy);
    for (const auto* value : {&r.logged, &r.inverse_propensity, &r.doubly_robust})
      if (!std::isfinite(value->mean) || !std::isfinite(value->interval.low) || !std::isfinite(value->interval.high))
        std::abort();
  }
  return 0;
}
