#include "broker/net/curl_client.hpp"

#include <curl/curl.h>

#include <limits>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <variant>

#include "broker/base/thread.hpp"
#include "broker/net/curl_pool.hpp"
#include "broker/net/request_check.hpp"

namespace godwit::net {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

void init_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

class CurlClient::Loop {
 public:
  Loop(const Clock& clock, CurlClientOptions options) : clock_(clock), options_(std::move(options)) {
    thread_ = start_thread(options_.thread_name, [this] { run(); });
  }

  ~Loop() {
    put(Quit{});
    thread_.join();
  }

  Result<PoolId> open(HttpPoolOptions options) {
    Result<Origin> origin = Origin::parse(options.origin);
    if (!origin) return std::move(origin).error();
    if (options.versions != 0 && !(options.versions & 1))
      return Error{Code::unsupported, "this client speaks HTTP/1.1 only", "versions"};
    if (options.max_connections == 0)
      return Error{Code::invalid, "at least one connection is needed", "max_connections"};
    auto gate = std::make_shared<PoolGate>(std::move(options), std::move(*origin));
    std::lock_guard lock(mutex_);
    const PoolId id = ++last_pool_;
    gates_.emplace(id, gate);
    put(Opened{id, std::move(gate)});  // under the lock: before any send to it
    return id;
  }

  void close(PoolId id) {
    std::lock_guard lock(mutex_);
    if (gates_.erase(id)) put(Closed{id});  // under the lock: after every send that was accepted
  }

  Result<void> send(PoolId id, HttpRequest request, HttpDone done) {
    if (Result<void> fine = check_request(request); !fine) return fine;
    const SteadyTime now = steady_clock::now();
    std::lock_guard lock(mutex_);
    const auto found = gates_.find(id);
    if (found == gates_.end()) return Error{Code::not_found, "the pool is closed", "pool"};
    PoolGate& gate = *found->second;
    SteadyTime expires = now + milliseconds(gate.options.request_timeout_ms);
    if (request.deadline_ns != 0)
      expires = std::min(expires, now + nanoseconds(std::max<int64_t>(0, request.deadline_ns - clock_.mono_ns())));
    if (!gate.enter()) return Error{Code::overloaded, "too many requests wait for a connection", "pool"};
    put(Sent{id, std::make_unique<CurlTransfer>(std::move(request), std::move(done), now, expires)});
    return {};
  }

  void cancel(PoolId id, uint64_t cookie) {
    if (cookie != 0) put(Cancelled{id, cookie});
  }

  uint32_t slots(PoolId id) const {
    std::lock_guard lock(mutex_);
    const auto found = gates_.find(id);
    return found == gates_.end() ? 0 : found->second->slots();
  }

 private:
  struct Opened {
    PoolId pool;
    std::shared_ptr<PoolGate> gate;
  };
  struct Closed {
    PoolId pool;
  };
  struct Sent {
    PoolId pool;
    std::unique_ptr<CurlTransfer> transfer;
  };
  struct Cancelled {
    PoolId pool;
    uint64_t cookie;
  };
  struct Quit {};
  using Order = std::variant<Opened, Closed, Sent, Cancelled, Quit>;

  void put(Order order) {
    bool wake;
    {
      std::lock_guard lock(orders_mutex_);
      orders_.push_back(std::move(order));
      wake = std::exchange(asleep_, false);
    }
    if (wake) poller_.wake();
  }

  void run() {
    std::vector<Order> orders;
    while (!quit_) {
      for (const Poller::Ready& ready : poller_.wait(sleep_ms()))
        if (const auto owner = sockets_.find(ready.fd); owner != sockets_.end())
          owner->second->socket_ready(ready.fd, ready.events);
      orders.clear();
      {
        std::lock_guard lock(orders_mutex_);
        asleep_ = false;
        orders.swap(orders_);
      }
      for (Order& order : orders) std::visit([this](auto& o) { obey(o); }, order);
      const SteadyTime now = steady_clock::now();
      for (auto& [id, pool] : pools_) pool->advance(now);
    }
    pools_.clear();
  }

  // How long nothing needs to be done, unless an order comes: that wakes the poller.
  int sleep_ms() {
    {
      std::lock_guard lock(orders_mutex_);
      asleep_ = orders_.empty();
      if (!asleep_) return 0;
    }
    SteadyTime next = SteadyTime::max();
    for (const auto& [id, pool] : pools_) next = std::min(next, pool->next_timer());
    if (next == SteadyTime::max()) return -1;
    const auto left = std::chrono::ceil<milliseconds>(next - steady_clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, std::numeric_limits<int>::max()));
  }

  void obey(Opened& o) {
    pools_.emplace(o.pool, std::make_unique<CurlPool>(std::move(o.gate), poller_, sockets_, options_.proxy));
  }
  void obey(Closed& o) { pools_.erase(o.pool); }
  void obey(Sent& o) { pools_.at(o.pool)->add(std::move(o.transfer)); }
  void obey(Cancelled& o) {
    if (const auto found = pools_.find(o.pool); found != pools_.end())
      found->second->cancel(o.cookie, steady_clock::now());
  }
  void obey(Quit&) { quit_ = true; }

  const Clock& clock_;
  const CurlClientOptions options_;
  Poller poller_;

  std::mutex orders_mutex_;
  std::vector<Order> orders_;  // guarded by orders_mutex_
  bool asleep_ = false;        // guarded by orders_mutex_: put has to wake the thread

  mutable std::mutex mutex_;
  std::unordered_map<PoolId, std::shared_ptr<PoolGate>> gates_;  // guarded by mutex_
  PoolId last_pool_ = 0;                                         // guarded by mutex_

  // The thread's own. Sockets before pools: a dying pool closes its sockets.
  CurlConduit::Sockets sockets_;
  std::unordered_map<PoolId, std::unique_ptr<CurlPool>> pools_;
  bool quit_ = false;
  std::thread thread_;
};

CurlClient::CurlClient(const Clock& clock, CurlClientOptions options) {
  init_curl();
  loop_ = std::make_unique<Loop>(clock, std::move(options));
}
CurlClient::~CurlClient() = default;

Result<HttpClient::PoolId> CurlClient::open_pool(HttpPoolOptions options) {
  return loop_->open(std::move(options));
}
void CurlClient::close_pool(PoolId pool) {
  loop_->close(pool);
}
Result<void> CurlClient::send(PoolId pool, HttpRequest request, HttpDone done) {
  return loop_->send(pool, std::move(request), std::move(done));
}
void CurlClient::cancel(PoolId pool, uint64_t cookie) {
  loop_->cancel(pool, cookie);
}
uint32_t CurlClient::slots(PoolId pool) const {
  return loop_->slots(pool);
}

}  // namespace godwit::net
