#include "broker/net/h2_client.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>
#include <variant>

#include "broker/base/thread.hpp"
#include "broker/net/h2_pool.hpp"
#include "broker/net/request_check.hpp"

namespace godwit::net {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

struct Opened {
  uint64_t pool;
  std::shared_ptr<H2Gate> gate;
  H2Client::HandOver hand_over;
};
struct Closed {
  uint64_t pool;
};
struct Sent {
  uint64_t pool;
  H2Exchanges one;
};
struct Cancelled {
  uint64_t pool, cookie;
};
struct LookedUp {
  uint64_t pool, number;
  Resolved answer;
};
struct Quit {};
using Order = std::variant<Opened, Closed, Sent, Cancelled, LookedUp, Quit>;

// Orders for a loop's thread. Name look-ups may outlive the loop, so they share this instead of pointing to it.
class Inbox {
 public:
  explicit Inbox(Poller& poller) : poller_(&poller) {}

  void put(Order order) {
    std::lock_guard lock(mutex_);
    if (!poller_) return;
    orders_.push_back(std::move(order));
    if (std::exchange(asleep_, false)) poller_->wake();
  }
  // True if there is nothing: from now on the thread has to be woken.
  bool fall_asleep() {
    std::lock_guard lock(mutex_);
    return asleep_ = orders_.empty();
  }
  void take(std::vector<Order>& into) {
    into.clear();
    std::lock_guard lock(mutex_);
    asleep_ = false;
    into.swap(orders_);
  }
  void close() {
    std::lock_guard lock(mutex_);
    poller_ = nullptr;
  }

 private:
  std::mutex mutex_;
  Poller* poller_;             // guarded by mutex_; null: the loop has ended
  std::vector<Order> orders_;  // guarded by mutex_
  bool asleep_ = false;        // guarded by mutex_
};

}  // namespace

class H2Client::Loop final : public H2Driver {
 public:
  Loop(const Clock& clock, const H2ClientOptions& options, const std::string& name)
      : clock_(clock), timing_(options.timing), inbox_(std::make_shared<Inbox>(poller_)) {
    if (!options.proxy.empty()) {
      Result<Proxy> parsed = Proxy::parse(options.proxy);
      if (parsed)
        proxy_ = *std::move(parsed);
      else
        proxy_fault_ = std::move(parsed).error();
    }
    thread_ = start_thread(name, [this] { run(); });
  }

  ~Loop() override {
    inbox_->put(Quit{});
    thread_.join();
    inbox_->close();
  }

  Result<void> open(PoolId id, HttpPoolOptions options, HandOver hand_over) {
    if (proxy_fault_) return *proxy_fault_;
    Result<Origin> origin = Origin::parse(options.origin);
    if (!origin) return std::move(origin).error();
    if (options.versions != 0 && !(options.versions & 2))
      return Error{Code::unsupported, "this client speaks HTTP/2 only", "versions"};
    if (options.max_connections == 0)
      return Error{Code::invalid, "at least one connection is needed", "max_connections"};
    if (!hand_over) options.versions = 2;
    auto gate = std::make_shared<H2Gate>(std::move(options), std::move(*origin));
    std::lock_guard lock(mutex_);
    gates_.emplace(id, gate);
    inbox_->put(Opened{id, std::move(gate), std::move(hand_over)});  // under the lock: before any send to it
    return {};
  }

  void close(PoolId id) {
    std::lock_guard lock(mutex_);
    if (gates_.erase(id)) inbox_->put(Closed{id});  // under the lock: after every send that was accepted
  }

  Result<void> send(PoolId id, HttpRequest request, HttpDone done) {
    if (Result<void> fine = check_request(request); !fine) return fine;
    const SteadyTime now = steady_clock::now();
    std::lock_guard lock(mutex_);
    const auto found = gates_.find(id);
    if (found == gates_.end()) return Error{Code::not_found, "the pool is closed", "pool"};
    H2Gate& gate = *found->second;
    SteadyTime expires = now + milliseconds(gate.options.request_timeout_ms);
    if (request.deadline_ns != 0)
      expires = std::min(expires, now + nanoseconds(std::max<int64_t>(0, request.deadline_ns - clock_.mono_ns())));
    if (!gate.enter()) return Error{Code::overloaded, "too many requests wait for a stream", "pool"};
    H2Exchanges one;
    one.emplace_back(std::move(request), std::move(done), now, expires);
    inbox_->put(Sent{id, std::move(one)});
    return {};
  }

  void cancel(PoolId id, uint64_t cookie) {
    if (cookie != 0) inbox_->put(Cancelled{id, cookie});
  }

  std::shared_ptr<H2Gate> gate(PoolId id) const {
    std::lock_guard lock(mutex_);
    const auto found = gates_.find(id);
    return found == gates_.end() ? nullptr : found->second;
  }

 private:
  // ---- what pools ask for

  Poller& poller() override { return poller_; }
  void own_socket(int fd, uint64_t pool, H2Connection* connection) override {
    if (connection)
      sockets_[fd] = {pool, connection};
    else
      sockets_.erase(fd);
  }
  void look_up(uint64_t pool, uint64_t number, const std::string& host, uint16_t port) override {
    resolve(host, port, [inbox = inbox_, pool, number](Resolved answer) {
      inbox->put(LookedUp{pool, number, std::move(answer)});
    });
  }
  double random() override { return std::uniform_real_distribution<>(0, 1)(random_); }

  // ---- the thread

  void run() {
    std::vector<Order> orders;
    while (!quit_) {
      const auto events = poller_.wait(sleep_ms());
      const SteadyTime now = steady_clock::now();
      for (const Poller::Ready& ready : events)
        if (const auto owner = sockets_.find(ready.fd); owner != sockets_.end()) {
          const Socket socket = owner->second;
          H2Pool& pool = *pools_.at(socket.pool);
          pool.socket_ready(*socket.connection, ready.events, now);
          touch(socket.pool);
        }
      inbox_->take(orders);
      for (Order& order : orders) std::visit([&](auto& o) { obey(o, now); }, order);
      orders.clear();
      if (now >= next_timer_) {
        next_timer_ = SteadyTime::max();
        for (const auto& [id, pool] : pools_) touch(id);
      }
      for (const uint64_t id : touched_)
        if (const auto found = pools_.find(id); found != pools_.end()) {
          found->second->advance(now);
          next_timer_ = std::min(next_timer_, found->second->next_timer());
        }
      touched_.clear();
    }
    pools_.clear();
  }

  // A pool is advanced once a round, whatever happened to it.
  void touch(uint64_t pool) {
    if (std::find(touched_.begin(), touched_.end(), pool) == touched_.end()) touched_.push_back(pool);
  }

  // How long nothing needs to be done, unless an order comes: that wakes the poller.
  int sleep_ms() {
    if (!inbox_->fall_asleep()) return 0;
    if (next_timer_ == SteadyTime::max()) return -1;
    const auto left =
        std::chrono::ceil<milliseconds>(std::max(next_timer_, SteadyTime{}) - steady_clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, std::numeric_limits<int>::max()));
  }

  void obey(Opened& o, SteadyTime) {
    pools_.emplace(o.pool, std::make_unique<H2Pool>(o.pool, std::move(o.gate), std::move(o.hand_over), timing_,
                                                    proxy_ ? &*proxy_ : nullptr, *this));
  }
  void obey(Closed& o, SteadyTime) { pools_.erase(o.pool); }
  void obey(Sent& o, SteadyTime) {
    pools_.at(o.pool)->add(std::move(o.one));
    touch(o.pool);
  }
  void obey(Cancelled& o, SteadyTime) {
    const auto found = pools_.find(o.pool);
    if (found == pools_.end()) return;
    found->second->cancel(o.cookie);
    touch(o.pool);
  }
  void obey(LookedUp& o, SteadyTime now) {
    const auto found = pools_.find(o.pool);
    if (found == pools_.end()) return;
    found->second->resolved(o.number, std::move(o.answer), now);
    touch(o.pool);
  }
  void obey(Quit&, SteadyTime) { quit_ = true; }

  const Clock& clock_;
  const H2Timing timing_;
  std::optional<Proxy> proxy_;
  std::optional<Error> proxy_fault_;
  Poller poller_;
  const std::shared_ptr<Inbox> inbox_;

  mutable std::mutex mutex_;
  std::unordered_map<PoolId, std::shared_ptr<H2Gate>> gates_;  // guarded by mutex_

  // The thread's own. Sockets before pools: a dying pool gives its sockets back.
  struct Socket {
    uint64_t pool;
    H2Connection* connection;
  };
  std::unordered_map<int, Socket> sockets_;
  std::unordered_map<PoolId, std::unique_ptr<H2Pool>> pools_;
  std::vector<uint64_t> touched_;
  SteadyTime next_timer_ = SteadyTime::max();
  std::minstd_rand random_{std::random_device{}()};
  bool quit_ = false;
  std::thread thread_;
};

H2Client::H2Client(const Clock& clock, H2ClientOptions options) {
  for (unsigned i = 0; i < std::max(1u, options.threads); ++i)
    loops_.push_back(std::make_unique<Loop>(clock, options, "http2-" + std::to_string(i)));
}
H2Client::~H2Client() = default;

Result<HttpClient::PoolId> H2Client::open_pool(HttpPoolOptions options) {
  return open_pool(std::move(options), nullptr);
}
Result<HttpClient::PoolId> H2Client::open_pool(HttpPoolOptions options, HandOver hand_over) {
  const PoolId id = ++last_pool_;
  if (Result<void> done = loop_of(id).open(id, std::move(options), std::move(hand_over)); !done)
    return std::move(done).error();
  return id;
}
void H2Client::close_pool(PoolId pool) {
  loop_of(pool).close(pool);
}
Result<void> H2Client::send(PoolId pool, HttpRequest request, HttpDone done) {
  return loop_of(pool).send(pool, std::move(request), std::move(done));
}
void H2Client::cancel(PoolId pool, uint64_t cookie) {
  loop_of(pool).cancel(pool, cookie);
}
uint32_t H2Client::slots(PoolId pool) const {
  const std::shared_ptr<H2Gate> gate = loop_of(pool).gate(pool);
  return gate ? gate->slots() : 0;
}
std::optional<PoolFigures> H2Client::figures(PoolId pool) const {
  const std::shared_ptr<H2Gate> gate = loop_of(pool).gate(pool);
  if (!gate) return std::nullopt;
  return gate->figures();
}

}  // namespace godwit::net
