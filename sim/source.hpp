// Source: where devices and messages come from: a generated fleet (World) or a file in which every fate is fixed
// (Tape). Policies are compared on identical sources; nothing that a policy does changes what comes next.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/routing/router.hpp"
#include "sim/scenario.hpp"

namespace godwit::sim {

using routing::kMaxChannels;

// What would happen to a message on one channel.
struct Fate {
  bool available = false;  // a token, and for a connection: online as far as the broker knows
  double p = 0;            // true chance to work; for oracles and scoring only
  bool reject = false;     // the vendor refuses at once
  bool works = false;
  double delay_s = 0;     // send to delivery, once the device is back
  double receipt_s = -1;  // delivery to receipt; below 0: it never comes. With works = false: a lie of the vendor's
};

struct Message {
  double t = 0;
  uint64_t id = 0;
  uint32_t device = 0;
  uint32_t cls = 0;
  double away_s = 0;  // the device comes back after this time
  std::array<Fate, kMaxChannels> fates;
};

struct DeviceChange {
  double t = 0;
  uint32_t device = 0;
  std::string maker, os, region;
  uint32_t tokens = 0, reports = 0;
  std::string why;  // "new", "reinstall", "os_upgrade"
};

// What a source knows besides its events.
struct Setting {
  std::string name;
  std::vector<ChannelSpec> channels;
  std::vector<MessageClass> classes;
  std::vector<Event> events;        // those to watch, and limits that the engine enforces
  std::vector<std::string> makers;  // known at the start; a static table may be made for them
  double start_hour = 0, warmup_s = 0, end_s = 0;
  double piggyback = 0, duplicate_penalty = 0;
  double away_day = 0.04, away_night = 0.04;  // true shares, for oracles
  Bars bars;
};

class Source {
 public:
  virtual ~Source() = default;
  virtual const Setting& setting() const = 0;
  enum class Kind : uint8_t { end, device, message };
  // The next event in order of time; the one that it is not leaves its argument alone.
  virtual Kind next(DeviceChange& device, Message& message) = 0;
  // Bit per channel: receipts of this device come back on it.
  virtual uint32_t reports(uint32_t device) const = 0;
};

bool is_night(double hour);
inline double hour_of_day(double start_hour, double t) {
  const double h = start_hour + t / 3600;
  return h - 24 * static_cast<double>(static_cast<int64_t>(h / 24));
}

}  // namespace godwit::sim
