// A device's long poll that waits for something to arrive.
#pragma once

#include "broker/engine/broker.hpp"
#include "broker/planner/timer_wheel.hpp"
#include "broker/registry/registry.hpp"

namespace godwit::engine {

struct InboxWaiter {
  DeviceNo device = kNoDevice;
  uint64_t after = 0;
  unsigned limit = 0;
  Done<Broker::InboxPage> done;
  planner::TimerWheel::Id timer = planner::TimerWheel::kNone;
};

}  // namespace godwit::engine
