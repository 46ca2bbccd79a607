// Limits: what a vendor enforces on us whatever the fate of a message: sends per second and per day; and device clocks
// that are wrong.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/policy.hpp"

namespace godwit::sim {

class Limits {
 public:
  explicit Limits(const Setting& setting) {
    for (const Event& e : setting.events) {
      if (!is_limit(e.type)) continue;
      for (size_t c = 0; c < setting.channels.size(); ++c)
        if (e.channel == setting.channels[c].name || (e.channel == "*" && concerns(e, setting.channels[c])))
          rules_.push_back({e, static_cast<routing::ChannelNo>(c), 0, 0, 0});
    }
  }

  // Tells the policy how much of each daily quota is used, once a minute.
  void advance(double t, Policy& policy) {
    if (rules_.empty() || t < told_ + 60) return;
    told_ = t;
    for (Rule& r : rules_) {
      if (r.event.type != EventType::quota || t < r.event.t0) continue;
      start_day(r, t);
      policy.quota(r.channel, r.event.per_day > 0 ? r.used / r.event.per_day : 1, std::fmod(t, 86400) / 86400);
    }
  }

  bool allow(routing::ChannelNo channel, double t) {
    for (Rule& r : rules_) {
      if (r.channel != channel || t < r.event.t0 || t >= r.event.t1) continue;
      if (r.event.type == EventType::quota) {
        start_day(r, t);
        if (r.used >= r.event.per_day) return false;
        r.used += 1;
      } else if (r.event.type == EventType::rate_limit) {  // a bucket of one second
        r.level = std::max(0.0, r.level - (t - r.at) * r.event.qps);
        r.at = t;
        if (r.level + 1 > std::max(1.0, r.event.qps)) return false;
        r.level += 1;
      }
    }
    return true;
  }

  double clock_skew_s(routing::ChannelNo channel, double t) const {
    double skew = 0;
    for (const Rule& r : rules_)
      if (r.event.type == EventType::clock_skew && r.channel == channel && t >= r.event.t0 && t < r.event.t1)
        skew += r.event.skew_s;
    return skew;
  }

 private:
  struct Rule {
    Event event;
    routing::ChannelNo channel;
    double used, level, at;
    double day = -1;
  };
  static void start_day(Rule& r, double t) {
    const double day = std::floor(t / 86400);
    if (day != r.day) r.used = 0, r.day = day;
  }
  // "*" is each unpaid channel; a wrong clock shows on all of them.
  static bool concerns(const Event& e, const ChannelSpec& c) {
    return e.type == EventType::clock_skew || c.kind != ChannelKind::paid;
  }

  std::vector<Rule> rules_;
  double told_ = -1e9;
};

}  // namespace godwit::sim
