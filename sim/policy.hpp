// Policy: who chooses. The engine tells each policy the same things that the broker would tell the router: what the
// device is, which channels are awake, and what comes back. Only the oracle looks at the fates.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/routing/router.hpp"
#include "sim/source.hpp"

namespace godwit::sim {

struct Attempt {
  routing::ChannelNo channel = routing::kNoChannel;
  double sent = 0;
  double delivered = -1;  // below 0: never
  bool rejected = false;
  bool heard = false;     // a receipt came
  bool reporting = true;  // receipts of this device and channel come back at all
};

// One message on its way. The parallel `memos` are for the policy that wants them.
struct InFlight {
  Message message;
  std::vector<Attempt> attempts;
  std::vector<routing::AttemptMemo> memos;
  std::vector<routing::Offer> offers;
  uint32_t pending = 0;   // events of the engine's queue that still refer to it
  bool decided = false;   // no further sends
  double delivered = -1;  // first arrival
  unsigned arrivals = 0, visible = 0;
};

// Of all attempts that were expected to bring a receipt in time with a chance in this tenth: how many were there, what
// was expected, what came.
struct CalibrationBin {
  double attempts = 0, expected = 0, came = 0;
};
using Calibration = std::array<CalibrationBin, 10>;

class Policy {
 public:
  virtual ~Policy() = default;
  virtual void device(const DeviceChange&) {}
  virtual routing::Decision first(InFlight& m, double t) = 0;
  virtual routing::Decision next(InFlight& m, double t) = 0;
  virtual void sent(InFlight&, const routing::Decision&, double) {}
  virtual void accepted(InFlight&, size_t, double) {}
  virtual void rejected(InFlight&, size_t, double) {}
  virtual double soft_timeout_s(routing::ChannelNo) const { return 30; }
  virtual void silent(InFlight&, size_t, double) {}
  virtual void receipt(InFlight&, size_t, double, double /*delivered_s*/) {}
  virtual void seen(InFlight&, size_t, bool, double) {}
  virtual void quota(routing::ChannelNo, double /*used*/, double /*elapsed*/) {}
  virtual const Calibration* calibration() const { return nullptr; }
  virtual routing::Router* router() { return nullptr; }  // for reports about alarms
};

const std::vector<std::string>& policy_names();
// Null for a name that is none of policy_names().
std::unique_ptr<Policy> make_policy(const std::string& name, const Setting& setting, uint64_t seed);

std::unique_ptr<Policy> make_godwit(const Setting& setting, uint64_t seed);
std::unique_ptr<Policy> make_oracle(const Setting& setting);
std::unique_ptr<Policy> make_baseline(const std::string& name, const Setting& setting, uint64_t seed);

// The priority class that stands for the n-th message class of a scenario: by its name, else by its place.
routing::PriorityClass priority_of(const std::vector<MessageClass>& classes, size_t n);

}  // namespace godwit::sim
