// What all connections of a server share: limits, counters, and the gate that counts connections.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "broker/api/api_server.hpp"
#include "broker/api/http/ip.hpp"
#include "broker/api/options.hpp"

namespace godwit::http {

class Handler;

// Counts open connections, overall and by subscriber. Safe from any thread.
class ConnectionGate {
 public:
  ConnectionGate(unsigned total, unsigned per_address) : total_(total), per_address_(per_address) {}
  [[nodiscard]] bool enter(const IpAddress& address);
  void leave(const IpAddress& address);
  unsigned open() const;
  bool wait_empty(std::chrono::milliseconds limit);

 private:
  const unsigned total_, per_address_;
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  unsigned open_ = 0;                                     // mutex_
  std::unordered_map<std::string, unsigned> by_address_;  // mutex_
};

struct Counters {
  std::atomic<uint64_t> accepted{0}, refused{0}, requests{0};
  std::atomic<uint64_t> answers_2xx{0}, answers_4xx{0}, answers_5xx{0};

  void count_answer(int status) {
    auto& counter = status < 400 ? answers_2xx : status < 500 ? answers_4xx : answers_5xx;
    counter.fetch_add(1, std::memory_order_relaxed);
  }
};

// Shared by the server and its connections, which may outlive it for a moment.
struct ServerState {
  ServerState(const ApiLimits& limits, std::shared_ptr<Handler> handler)
      : limits(limits), handler(std::move(handler)), gate(limits.connections, limits.connections_per_address) {}
  const ApiLimits limits;
  const std::shared_ptr<Handler> handler;
  ConnectionGate gate;
  Counters counters;
};

}  // namespace godwit::http
