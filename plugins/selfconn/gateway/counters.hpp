// What a shard counts. Written by its own thread, read by anybody.
#pragma once

#include <atomic>
#include <cstdint>

namespace selfconn {

class Counter {
 public:
  void add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

struct Counters {
  Counter accepted;      // sockets
  Counter rate_limited;  // sockets closed at once by the connect rate
  Counter connected;     // devices let in
  Counter refused;       // devices not let in: protocol, credential, quota
  Counter takeovers;
  Counter timed_out;     // keep alive, CONNECT, PUBACK, stuck socket
  Counter faults;        // connections lost by a breach of the protocol
  Counter sent;          // PUBLISH to devices
  Counter acknowledged;  // PUBACK from devices
  Counter unknown_acks;  // PUBACK of an id that is not in flight
  Counter events;        // device events handed to the host
  Counter bad_events;    // PUBLISH of devices that were no event
};

}  // namespace selfconn
