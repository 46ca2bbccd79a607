// World: generates the fleet and the messages of a scenario. The truth that policies must find out:
//   p = sigmoid(base + OS x manufacturer + region + segment + night + device) * product of the events' multipliers.
#pragma once

#include <memory>
#include <vector>

#include "sim/chance.hpp"
#include "sim/source.hpp"

namespace godwit::sim {

class World final : public Source {
 public:
  World(const Scenario& scenario, uint64_t seed);
  const Setting& setting() const override { return setting_; }
  Kind next(DeviceChange& device, Message& message) override;
  uint32_t reports(uint32_t device) const override;

 private:
  struct Device {
    uint16_t maker = 0, os = 0, region = 0;
    uint8_t installation = 0;
    bool restricted = false, dormant = false;
    float presence = 0;  // logit
    float app = 0;       // uniform: which app version, for the share of devices that report
  };
  struct Change {
    double t;
    uint32_t device;
    bool upgrade;
    uint16_t to;
  };

  void make_devices();
  void plan_changes();
  bool has_token(uint32_t device, size_t channel) const;
  bool is_dead(uint32_t device, size_t channel) const;
  double logit(uint32_t device, size_t channel, bool night) const;
  double multiplier(const Event& event, const Device& device, double t) const;
  bool matches(const Event& event, const Device& device, size_t channel) const;
  bool is_off(uint32_t device, double t) const;
  double away_s(uint32_t device, double t) const;
  bool is_online(uint32_t device, double t, bool off) const;
  Fate fate(const Message& message, size_t channel, bool off) const;
  void describe(uint32_t device, double t, const char* why, DeviceChange& out) const;
  double hour(double t) const { return hour_of_day(scenario_.start_hour, t); }

  Scenario scenario_;
  Setting setting_;
  Chance chance_;
  std::vector<Device> devices_;
  std::vector<double> activity_;  // cumulative
  std::vector<double> base_;      // [channel][manufacturer]
  std::vector<double> cell_;      // [channel][manufacturer][os][region]: all interactions
  std::vector<Change> changes_;   // by time
  uint32_t introduced_ = 0;       // devices told of so far
  size_t changed_ = 0;
  double next_message_ = 0;
  uint64_t messages_ = 0;
};

}  // namespace godwit::sim
