// H2Connection is one HTTP/2 connection of a pool: a Transport, nghttp2's session on it, and the requests on its
// streams.
//
// What it takes away is the bookkeeping of truth. Each request that leaves it, by `take_ended` or `take_unprocessed`,
// carries what is known of it: answered; not sent (the server said that it did not look, or no byte of it was given to
// the socket: those are unprocessed and may go elsewhere); or maybe sent.
//
// Life: dialling -> open (when the server's SETTINGS are here) -> draining (no new streams: GOAWAY came, or the pool
// wishes it) -> dead. Belongs to the client's thread; the pool drives it and collects results afterwards, so nothing
// calls back into the pool.
#pragma once

#include <memory>

#include "broker/net/h2_exchange.hpp"
#include "broker/net/header_memory.hpp"
#include "broker/net/transport.hpp"

struct nghttp2_session;

namespace godwit::net {

// How a pool's connections behave in time; tests make it all shorter.
struct H2Timing {
  std::chrono::milliseconds max_age{12 * 3600 * 1000};  // then a new one takes over
  std::chrono::milliseconds ping_patience{5000};        // an unanswered PING means a dead connection
  std::chrono::milliseconds grow_after{50};             // all streams busy for so long: another connection
  std::chrono::milliseconds backoff_first{100}, backoff_most{30'000};  // after connections that serve nothing
  std::chrono::milliseconds identity_check{1000};  // how soon a changed client certificate is noticed
};

class H2Connection {
 public:
  enum class Phase : uint8_t { dialling, open, draining, dead };
  H2Connection(const HttpPoolOptions& options, const H2Timing& timing, const Origin& origin,
               std::unique_ptr<Transport> transport, SteadyTime now);
  ~H2Connection();  // REQUIRES: take_ended and take_unprocessed were called after the last drive

  void start(SteadyTime now);                 // dials
  void ready(bool readable, SteadyTime now);  // the descriptor is
  void flush(SteadyTime now);                 // writes what is there to be written
  void run_timers(SteadyTime now);
  SteadyTime next_timer() const;
  void drain(SteadyTime now, const char* why);  // no new streams; ends when the last one is answered
  void die(HttpResponse::Fault fault, const std::string& why);

  bool submit(H2Exchanges& from, H2Exchanges::iterator exchange);  // false: no more stream ids; it stays in `from`
  // Ends a request before its answer: the stream is reset.
  void abandon(H2Exchanges::iterator exchange, HttpResponse::Fault fault, const std::string& why);

  H2Exchanges& on_streams() { return streams_; }
  H2Exchanges take_ended() { return std::exchange(ended_, {}); }
  H2Exchanges take_unprocessed() { return std::exchange(unprocessed_, {}); }
  bool has_results() const { return !ended_.empty() || !unprocessed_.empty(); }

  Phase phase() const { return phase_; }
  uint32_t limit() const;  // streams that the server and our configuration allow; 0 unless open
  uint32_t in_use() const { return static_cast<uint32_t>(streams_.size()); }
  int fd() const { return transport_->fd(); }
  bool wants_write() const;
  const std::string& why_gone() const { return why_.empty() ? goodbye_ : why_; }
  bool was_open() const { return was_open_; }
  bool was_lost() const { return was_lost_; }          // it ended with requests on it
  bool speaks_http1() const { return speaks_http1_; }  // dead because ALPN chose HTTP/1.1
  SteadyTime idle_since() const { return idle_since_; }

  // Since the last time asked.
  struct Tally {
    uint32_t goaways = 0, refused_streams = 0, lost_pings = 0;
    bool turned_away = false;  // the server took the connection and ended it before it had answered anything
  };
  Tally take_tally();

 private:
  friend struct H2Callbacks;
  void go_on_dialling(SteadyTime now);
  void open_session();
  void read_all(SteadyTime now);
  void die_after_reading(SteadyTime now);
  void maybe_say_goodbye();  // if it drains and nothing is left to wait for
  void stream_closed(H2Exchange& exchange, uint32_t code);
  void end(H2Exchange& exchange);
  void end_answered(H2Exchange& exchange);
  void set_unprocessed(H2Exchange& exchange, const std::string& why);
  bool left(const H2Exchange& exchange) const { return exchange.header_at < written_; }

  const HttpPoolOptions& options_;
  const H2Timing& timing_;
  const Origin& origin_;
  const std::unique_ptr<Transport> transport_;
  nghttp2_session* session_ = nullptr;
  Phase phase_ = Phase::dialling;
  H2Exchanges streams_, ended_, unprocessed_;
  HeaderMemory headers_;
  Tally tally_;

  std::string out_;  // serialised, not written
  size_t out_at_ = 0;
  uint64_t written_ = 0;  // bytes given to the transport since the beginning
  bool was_open_ = false, was_lost_ = false, speaks_http1_ = false, goodbye_said_ = false, goaway_received_ = false;
  bool answered_ = false, drained_by_us_ = false, turned_away_ = false;
  std::string why_;
  std::string goodbye_;  // what GOAWAY said

  SteadyTime connect_deadline_, born_, heard_, idle_since_;
  SteadyTime ping_sent_{};  // {}: none is out
  bool more_to_read_ = false;
};

}  // namespace godwit::net
