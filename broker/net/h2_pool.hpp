// H2Pool is one pool of the H2Client: its queue, its connections, and the rules by which their number changes.
//
//   grows    when nothing is connected, and when nearly every stream has been busy for a while and requests wait
//   shrinks  when what was needed at most over the idle time would fit into half of one connection less; unused
//            connections end by their own idle time
//   renews   a connection that is old, or whose client certificate is no longer the present one, takes no new requests
//   waits    after a failed connect, and after a server that ends a connection before it has answered anything on it,
//            doubling up to a limit until something is answered; meanwhile requests are refused as not sent, so that
//            the caller can take another way at once
//
// Two sides: H2Gate is what every thread may touch; H2Pool belongs to the client's thread.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "broker/base/counter.hpp"
#include "broker/net/h2_connection.hpp"
#include "broker/net/poller.hpp"

namespace godwit::net {

// Any thread. Shared by the table of pools, requests on their way to the client's thread, and the pool itself.
class H2Gate {
 public:
  // While nothing is connected a pool counts on this many streams; RFC 9113 §6.5.2 asks servers for no fewer.
  static constexpr uint32_t kUnknownCapacity = 100;

  H2Gate(HttpPoolOptions options, Origin origin) : options(std::move(options)), origin(std::move(origin)) {}
  const HttpPoolOptions options;
  const Origin origin;

  [[nodiscard]] bool enter();  // false: the queue is full
  void leave() { inside_.fetch_sub(1, std::memory_order_relaxed); }
  uint32_t slots() const;
  void set_capacity(uint32_t streams) { capacity_.store(streams, std::memory_order_relaxed); }
  PoolFigures figures() const;

  // Written by the client's thread only.
  Counter connections, in_flight, answered, not_sent, maybe_sent;
  Counter connects, connect_failures, connections_lost, goaways, refused_streams, moved, lost_pings;

 private:
  std::atomic<uint32_t> inside_{0};  // queued and out
  std::atomic<uint32_t> capacity_{kUnknownCapacity};
};

// What the pool needs of the thread that drives it.
class H2Driver {
 public:
  virtual ~H2Driver() = default;
  virtual Poller& poller() = 0;
  virtual void own_socket(int fd, uint64_t pool, H2Connection* connection) = 0;  // null: no longer
  // Answers, perhaps at once, by H2Pool::resolved with the same number.
  virtual void look_up(uint64_t pool, uint64_t number, const std::string& host, uint16_t port) = 0;
  virtual double random() = 0;  // 0..1, to spread what would come at the same time
};

// Takes a request over that can only go by HTTP/1.1.
using H2HandOver = std::function<void(HttpRequest, HttpDone, SteadyTime expires)>;

class H2Pool {
 public:
  H2Pool(uint64_t id, std::shared_ptr<H2Gate> gate, H2HandOver hand_over, const H2Timing& timing, const Proxy* proxy,
         H2Driver& driver);
  ~H2Pool();  // ends what is open with Fault::closed

  void add(H2Exchanges one);
  void cancel(uint64_t cookie);
  void resolved(uint64_t number, Resolved answer, SteadyTime now);
  void socket_ready(H2Connection& connection, uint32_t events, SteadyTime now);
  void advance(SteadyTime now);  // after anything of the above: sends what can be sent, ends what has ended
  SteadyTime next_timer() const;

 private:
  struct Member {
    std::unique_ptr<H2Connection> connection;
    uint64_t identity = 0;
    uint32_t watched = 0;  // what the poller was told
    int fd = -1;
  };

  void collect(Member& member, SteadyTime now);
  void take_results(Member& member, SteadyTime now);
  bool bury_the_dead(SteadyTime now);  // true if there were some
  void connect_failed(const H2Connection& connection, SteadyTime now);
  void no_connection(HttpResponse::Fault fault, const std::string& why, SteadyTime now);
  void expire(SteadyTime now);
  void dispatch(SteadyTime now);
  H2Connection* least_busy();
  void grow(SteadyTime now);
  void shrink(SteadyTime now);
  void dial(SteadyTime now);
  void renew(SteadyTime now);
  void publish();
  void watch(Member& member);
  void refuse_queue(HttpResponse::Fault fault, const std::string& why, SteadyTime now);
  void finish(H2Exchanges exchanges, SteadyTime now);
  size_t usable() const;

  const uint64_t id_;
  const std::shared_ptr<H2Gate> gate_;
  const H2HandOver hand_over_;
  const H2Timing& timing_;
  const Proxy* const proxy_;
  H2Driver& driver_;

  H2Exchanges queue_;
  std::vector<Member> members_;
  std::unique_ptr<TlsContext> tls_;  // of the present identity
  std::vector<std::unique_ptr<TlsContext>> old_tls_;
  bool speaks_http1_ = false;

  // Dialling.
  uint64_t looking_up_ = 0, last_look_up_ = 0;  // 0: no name look-up is on its way
  SteadyTime look_up_deadline_{};
  unsigned failures_ = 0;
  SteadyTime retry_at_{};
  std::string last_failure_;
  SteadyTime full_since_ = SteadyTime::max();

  SteadyTime next_expiry_ = SteadyTime::max();
  SteadyTime shrink_at_ = SteadyTime::max(), identity_at_ = SteadyTime::max();
  uint32_t most_needed_ = 0, told_ = H2Gate::kUnknownCapacity;
};

}  // namespace godwit::net
