// LongPolls: devices that asked for their inbox, found nothing new in it and wait for something to arrive.
//
// Each is answered once: it is taken out by whoever answers it, when a message has come, when its time is over, or when
// the engine closes. Until then it holds a timer in the engine's wheel. Engine's thread only.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <vector>

#include "broker/engine/broker.hpp"
#include "broker/engine/slab.hpp"
#include "broker/planner/timer_wheel.hpp"
#include "broker/registry/registry.hpp"

namespace godwit::engine {

struct LongPoll {
  DeviceNo device = kNoDevice;
  uint64_t after = 0;  // the inbox's number that it has seen
  unsigned limit = 0;
  Done<Broker::InboxPage> done;
};

class LongPolls {
 public:
  explicit LongPolls(planner::TimerWheel& timers) : timers_(timers) {}

  bool empty() const { return by_device_.empty(); }
  void add(LongPoll poll, MonoNs until);
  std::vector<LongPoll> take(DeviceNo device);
  std::vector<LongPoll> take_all();
  LongPoll take_expired(uint32_t ix);  // when its timer (TimerKind::inbox) has fired

 private:
  struct Waiting {
    LongPoll poll;
    planner::TimerWheel::Id timer = planner::TimerWheel::kNone;
  };

  planner::TimerWheel& timers_;
  Slab<Waiting, 6> waiting_;
  boost::unordered_flat_map<DeviceNo, std::vector<uint32_t>> by_device_;
};

}  // namespace godwit::engine
