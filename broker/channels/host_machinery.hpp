// HostMachinery: the threads and sockets that all channels of a PluginHost share.
#pragma once

#include "broker/channels/instance.hpp"
#include "broker/channels/services/io_loop.hpp"
#include "broker/channels/services/listeners.hpp"

namespace godwit::channels {

struct HostMachinery {
  HostMachinery(const PluginHostPorts& given, const PluginHostOptions& options)
      : ports(given),
        lanes("lane", options.lane_threads),
        storing("plugin-kv", 1),
        blocking("plugin-work", options.blocking_threads),
        timers(given.clock, options.manual_time) {}

  // False: a thread was held by foreign code and is left behind; then this object must never be destroyed.
  bool stop(std::chrono::milliseconds patience) {
    timers.stop();
    io.stop();
    const bool lanes_ended = lanes.stop(patience);
    const bool storing_ended = storing.stop(patience);
    return blocking.stop(patience) && lanes_ended && storing_ended;
  }

  const PluginHostPorts ports;
  WorkerPool lanes, storing, blocking;
  IoLoop io;
  Listeners listeners;
  Timers timers;
  Machinery view{ports.clock, lanes, storing, blocking, timers, io, listeners, ports};
};

}  // namespace godwit::channels
