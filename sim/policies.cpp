#include <algorithm>

#include "sim/policy.hpp"

namespace godwit::sim {

const std::vector<std::string>& policy_names() {
  static const std::vector<std::string> kNames{"godwit", "oracle", "random", "static-best", "greedy", "epsilon"};
  return kNames;
}

std::unique_ptr<Policy> make_policy(const std::string& name, const Setting& setting, uint64_t seed) {
  if (name == "godwit") return make_godwit(setting, seed);
  if (name == "oracle") return make_oracle(setting);
  return make_baseline(name, setting, seed);
}

routing::PriorityClass priority_of(const std::vector<MessageClass>& classes, size_t n) {
  static const std::vector<std::string> kNames{"critical", "high", "normal", "low"};
  const auto known = [](const MessageClass& c) {
    return std::find(kNames.begin(), kNames.end(), c.name) - kNames.begin();
  };
  const bool all_known = std::all_of(classes.begin(), classes.end(), [&](const MessageClass& c) {
    return known(c) < static_cast<ptrdiff_t>(kNames.size());
  });
  return static_cast<routing::PriorityClass>(all_known ? known(classes[n]) : static_cast<ptrdiff_t>(n));
}

}  // namespace godwit::sim
