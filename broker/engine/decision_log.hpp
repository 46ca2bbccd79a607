// DecisionLog: what a first decision was and what came of it, as lines for `godwit replay`, gathered until they are
// worth a write.
//
// Logged is a share of the deliveries, drawn by message and device: it depends on nothing that was decided, so that a
// replay may weigh them alike. Lines that were not taken yet are lost in a crash. Engine's thread only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/base/clock.hpp"
#include "broker/message/message.hpp"
#include "broker/registry/registry.hpp"
#include "broker/routing/router.hpp"

namespace godwit::engine {

class DecisionLog {
 public:
  struct Candidate {
    std::string_view channel;
    double p = 0;
  };
  struct Line {
    WallMs at_ms = 0;
    std::string_view app, device_id;
    std::optional<std::string_view> manufacturer;  // nullopt: the device is gone
    MessageId message;
    Priority priority = Priority::normal;
    routing::Reason mode = routing::Reason::nothing_awake;
    double propensity = 1;
    std::span<const Candidate> candidates;  // the chosen one, then others that were awake
    routing::Told told = routing::Told::nothing;
  };

  explicit DecisionLog(double share) : share_(share) {}

  bool wants(MessageId message, DeviceNo device) const;
  void add(const Line& line);  // REQUIRES: a candidate
  // What is to be written now; empty: nothing yet. `all`: whatever there is.
  std::string take_due(MonoNs now, bool all);

 private:
  const double share_;
  std::string lines_;
  MonoNs next_ns_ = 0;
};

}  // namespace godwit::engine
