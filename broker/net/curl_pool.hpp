// CurlPool is one pool of the CurlClient: its limits, its queue, and its curl multi handles.
//
// Two sides: PoolGate is what every thread may touch (how much room there is); CurlPool belongs to the client's thread.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "broker/net/curl_transfer.hpp"
#include "broker/net/http_client.hpp"
#include "broker/net/origin.hpp"
#include "broker/net/poller.hpp"

namespace godwit::net {

// Any thread. Shared by the table of pools, requests on their way to the client's thread, and the pool itself.
class PoolGate {
 public:
  explicit PoolGate(HttpPoolOptions options, Origin origin) : options(std::move(options)), origin(std::move(origin)) {}
  const HttpPoolOptions options;
  const Origin origin;

  [[nodiscard]] bool enter();  // false: the queue is full
  void leave();                // tells on_slots when a full pool has room again
  uint32_t slots() const;

 private:
  std::atomic<uint32_t> inside_{0};
};

// A curl multi handle that carries the requests of one TLS identity, plugged into the client's poller.
class CurlConduit {
 public:
  using Sockets = std::unordered_map<int, CurlConduit*>;  // whose descriptor it is
  CurlConduit(const HttpPoolOptions& options, TlsIdentity identity, Poller& poller, Sockets& sockets);
  ~CurlConduit();  // REQUIRES: active == 0
  CurlConduit(const CurlConduit&) = delete;
  CurlConduit& operator=(const CurlConduit&) = delete;

  CURL* take_handle();
  void give_handle(CURL* easy);
  void socket_ready(int fd, uint32_t events);
  void run_timer(SteadyTime now);

  CURLM* const multi;
  const TlsIdentity identity;
  size_t active = 0;
  SteadyTime timer_at = SteadyTime::max();

 private:
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  Poller& poller_;
  Sockets& sockets_;
  std::vector<CURL*> spare_;
};

class CurlPool {
 public:
  CurlPool(std::shared_ptr<PoolGate> gate, Poller& poller, CurlConduit::Sockets& sockets, const std::string& proxy);
  ~CurlPool();  // ends what is open with Fault::closed

  void add(std::unique_ptr<CurlTransfer> transfer);
  void cancel(uint64_t cookie, SteadyTime now);
  // Reaps what curl has finished, fills free connections from the queue, refuses what waited too long.
  void advance(SteadyTime now);
  // When advance has to run again without an event.
  SteadyTime next_timer() const;

 private:
  CurlConduit& current_conduit();
  void begin(std::unique_ptr<CurlTransfer> transfer, SteadyTime now);
  void reap(CurlConduit& conduit, SteadyTime now);
  void let_go(CURL* easy);
  void refuse(CurlTransfer& queued, HttpResponse::Fault fault, const char* why, SteadyTime now);
  void expire_queue(SteadyTime now);
  void close_all(SteadyTime now);

  struct Open {
    std::unique_ptr<CurlTransfer> transfer;
    CurlConduit* conduit;
  };
  const std::shared_ptr<PoolGate> gate_;
  Poller& poller_;
  CurlConduit::Sockets& sockets_;
  const std::string& proxy_;
  std::vector<std::unique_ptr<CurlConduit>> conduits_;  // the newest last
  std::unordered_map<CURL*, Open> open_;
  std::deque<std::unique_ptr<CurlTransfer>> queue_;
};

}  // namespace godwit::net
