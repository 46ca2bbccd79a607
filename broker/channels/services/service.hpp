// What the services of an instance have in common: where they belong, and how they end.
//
// A service is a table of C functions (godwit/ext/*.h) with an object behind it, one per channel instance. Plugins call
// it from any thread; every accepted call ends in exactly one callback on the instance's lane.
#pragma once

#include <string>

#include "broker/base/clock.hpp"
#include "broker/channels/lane.hpp"
#include "broker/channels/misbehaviour.hpp"

namespace godwit::channels {

// The instance that a service belongs to; outlives it.
struct ServiceHome {
  const std::string& channel;
  Lane& lane;
  const Clock& clock;
  Misbehaviour& misbehaviour;
};

class Service {
 public:
  virtual ~Service() = default;
  // The table that the plugin gets; valid as long as the service.
  virtual const void* table() const = 0;
  // [lane] Refuses new calls from now on and delivers what is pending, as closed. Before the plugin's stop.
  virtual void close() = 0;
};

}  // namespace godwit::channels
