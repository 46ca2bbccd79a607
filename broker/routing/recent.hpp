// RecentSends: the latest sends of a channel in the order in which they were sent, and what has become of each by now.
//
// The tests of health hear of an attempt when it settles: silence after the soft time-out, a receipt after a second or
// two. So when a channel dies, the last good news is younger than the first bad news. Here silence can be weighed while
// it lasts, and beside the sends of the same moment.
//
// Bounded: where messages are many, not every send is kept, but enough to cover the soft time-out evenly; which ones,
// their times decide and not their outcomes.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/routing/profiles.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

struct RecentSend {
  enum State : uint8_t { waiting, arrived, silent, gone };  // gone: says nothing (any more)
  double t = 0;
  double said_at = 0;  // the alarm (by its time) that has counted `said` of this send's expectation already
  DeviceNo device = 0;
  uint16_t maker = 0, maker_os = 0, region = 0;
  State state = waiting;
  float expected = 0;  // chance of a receipt before the soft time-out
  float said = 0;
};

class RecentSends {
 public:
  static constexpr size_t kMost = 128;

  // False when it is not kept. `patience_s`: the soft time-out.
  bool add(const RecentSend& send, double patience_s);
  // What an alarm has counted of it already, once. Nothing when it was not kept, or is forgotten.
  struct Said {
    double at = -1;
    double share = 0;
  };
  Said settle(DeviceNo device, double t, RecentSend::State state);
  void forget() { sends_.clear(), next_ = 0, waiting_ = 0; }
  bool any_waiting() const { return waiting_ > 0; }

  size_t size() const { return sends_.size(); }
  RecentSend& newest(size_t i) { return sends_[(next_ + sends_.size() - 1 - i) % sends_.size()]; }  // 0: the newest

  void save(ByteWriter& out) const;
  void restore(ByteReader& in, const Profiles& profiles);

 private:
  RecentSend* find(DeviceNo device, double t);
  std::vector<RecentSend> sends_;  // a ring once it is full
  size_t next_ = 0;                // the oldest, when full
  size_t waiting_ = 0;
};

}  // namespace godwit::routing
