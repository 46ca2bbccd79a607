// Scenario: a push-routing-scenario/1 file as values. docs/routing.md describes the format.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace godwit::sim {

struct Delay {
  double median_s = 1, sigma = 0.5;
};

enum class ChannelKind : uint8_t { vendor, third, connection, paid };
enum class ReceiptMode : uint8_t { device, app, carrier, accept };

struct ChannelSpec {
  std::string name;
  ChannelKind kind = ChannelKind::third;
  std::map<std::string, double> token;  // by manufacturer; "*" for the others
  std::map<std::string, double> base_logit;
  double night_logit = 0;
  Delay delay;
  ReceiptMode receipt = ReceiptMode::device;
  double coverage = 1, device_share = 1;
  Delay receipt_delay;
  double cost = 0, dedupe = 1;
  double background_sensitive = 0;             // share of restricted_logit that applies
  std::vector<std::string> background_exempt;  // manufacturers
  bool reports() const { return receipt == ReceiptMode::device || receipt == ReceiptMode::app; }
};

struct Named {
  std::string name;
  double share = 0;
};

struct Fleet {
  uint32_t devices = 1000;
  double messages_per_device_day = 6, activity_sigma = 0;
  std::vector<Named> manufacturers, os_levels, regions;
  double sd_manufacturer_os = 0, sd_region = 0, sd_segment = 0;
  double device_sd = 0, dead_token = 0, restricted = 0, restricted_logit = 0, dormant = 0;
};

struct Presence {
  double base = 0.3, sigma = 0, restricted_factor = 1, night_factor = 1, block_s = 1800, stale_when_off = 0;
};

struct Radio {
  double off_day = 0, off_night = 0, block_s = 1200;
};

struct MessageClass {
  std::string name;
  double share = 1, deadline_s = 60, value = 1;
  bool paid = false;
  double explore = 0;
};

enum class EventType : uint8_t {
  rate,
  reject,
  receipt_loss,
  introduce,
  reinstall,
  os_upgrade,
  flap,
  receipt_forge,
  quota,
  rate_limit,
  clock_skew
};

// Enforced on what is sent, and so no part of a fate.
constexpr bool is_limit(EventType type) {
  return type == EventType::quota || type == EventType::rate_limit || type == EventType::clock_skew;
}

struct Event {
  EventType type = EventType::rate;
  std::string channel;  // "*": all unpaid
  double t0 = 0, t1 = 0;
  double mul = 1, ramp_s = 0;          // rate, flap
  double p = 0, loss = 0;              // reject, receipt_forge; receipt_loss
  double fraction = 0;                 // reinstall, os_upgrade
  std::string manufacturer, from, to;  // os_upgrade
  double period_s = 0, duty = 0;       // flap
  double qps = 0, per_day = 0;         // rate_limit; quota
  double skew_s = 0;                   // clock_skew: device clocks are off by this
  std::vector<std::string> match_manufacturer, match_os, match_region;
  bool watch = false;
};

struct Bars {
  double single_pct = 0, util_pct = 0, first_pct = 0, react_msgs = 0, recover_s = 0;
};

struct Scenario {
  std::string name;
  uint64_t seed = 1;
  double start_hour = 0, warmup_h = 0, measure_h = 24;
  Fleet fleet;
  std::vector<ChannelSpec> channels;
  Presence presence;
  Radio radio;
  double piggyback = 0, duplicate_penalty = 0;
  std::vector<MessageClass> classes;
  std::vector<Event> events;
  Bars bars;
};

// Throws BadInput, naming file and place.
Scenario read_scenario(const std::string& path);

}  // namespace godwit::sim
