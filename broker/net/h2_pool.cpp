#include "broker/net/h2_pool.hpp"

#include <algorithm>

namespace godwit::net {

using Fault = HttpResponse::Fault;
using Phase = H2Connection::Phase;
using std::chrono::milliseconds;

namespace {

constexpr unsigned kMostMoves = 3;  // a server that refuses everything must not keep a request for ever

}  // namespace

bool H2Gate::enter() {
  const uint32_t limit = capacity_.load(std::memory_order_relaxed) + options.max_queued;
  uint32_t inside = inside_.load(std::memory_order_relaxed);
  do {
    if (inside >= limit) return false;
  } while (!inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_relaxed));
  return true;
}

uint32_t H2Gate::slots() const {
  const uint32_t inside = inside_.load(std::memory_order_relaxed), all = capacity_.load(std::memory_order_relaxed);
  return inside < all ? all - inside : 0;
}

PoolFigures H2Gate::figures() const {
  PoolFigures f;
  f.origin = origin.text();
  f.version = 2;
  f.connections = connections.value();
  f.capacity = capacity_.load(std::memory_order_relaxed);
  f.in_flight = in_flight.value();
  const uint64_t inside = inside_.load(std::memory_order_relaxed);
  f.queued = inside > f.in_flight ? inside - f.in_flight : 0;
  f.answered = answered.value();
  f.not_sent = not_sent.value();
  f.maybe_sent = maybe_sent.value();
  f.connects = connects.value();
  f.connect_failures = connect_failures.value();
  f.connections_lost = connections_lost.value();
  f.goaways = goaways.value();
  f.refused_streams = refused_streams.value();
  f.moved = moved.value();
  f.lost_pings = lost_pings.value();
  return f;
}

H2Pool::H2Pool(uint64_t id, std::shared_ptr<H2Gate> gate, H2HandOver hand_over, const H2Timing& timing,
               const Proxy* proxy, H2Driver& driver)
    : id_(id),
      gate_(std::move(gate)),
      hand_over_(std::move(hand_over)),
      timing_(timing),
      proxy_(proxy),
      driver_(driver) {}

H2Pool::~H2Pool() {
  const SteadyTime now = std::chrono::steady_clock::now();
  for (Member& m : members_) {
    m.connection->die(Fault::closed, "the pool was closed");
    H2Exchanges ended = m.connection->take_ended(), unprocessed = m.connection->take_unprocessed();
    for (H2Exchange& x : unprocessed) x.response.fault = Fault::closed;
    ended.splice(ended.end(), unprocessed);
    finish(std::move(ended), now);
    if (m.fd >= 0) driver_.own_socket(m.fd, id_, nullptr);
  }
  refuse_queue(Fault::closed, "the pool was closed", now);
}

void H2Pool::add(H2Exchanges one) {
  next_expiry_ = std::min(next_expiry_, one.front().expires);
  queue_.splice(queue_.end(), one);
}

void H2Pool::cancel(uint64_t cookie) {
  const auto is_it = [&](const H2Exchange& x) { return x.request.cookie == cookie; };
  if (const auto waiting = std::find_if(queue_.begin(), queue_.end(), is_it); waiting != queue_.end()) {
    waiting->fail(Delivery::not_sent, Fault::closed, "cancelled");
    H2Exchanges one;
    one.splice(one.end(), queue_, waiting);
    return finish(std::move(one), std::chrono::steady_clock::now());
  }
  for (Member& m : members_) {
    H2Exchanges& out = m.connection->on_streams();
    if (const auto found = std::find_if(out.begin(), out.end(), is_it); found != out.end())
      return m.connection->abandon(found, Fault::closed, "cancelled");
  }
}

void H2Pool::socket_ready(H2Connection& connection, uint32_t events, SteadyTime now) {
  connection.ready((events & (Poller::kRead | Poller::kError)) != 0, now);
}

void H2Pool::advance(SteadyTime now) {
  for (Member& m : members_)
    if (now >= m.connection->next_timer()) m.connection->run_timers(now);
  renew(now);
  bury_the_dead(now);
  expire(now);
  shrink(now);
  do {
    dispatch(now);
    grow(now);
    for (Member& m : members_) m.connection->flush(now);
  } while (bury_the_dead(now));  // what they had not sent needs another connection
  for (Member& m : members_) watch(m);
  publish();
}

SteadyTime H2Pool::next_timer() const {
  SteadyTime next = std::min({next_expiry_, shrink_at_, identity_at_});
  if (looking_up_) next = std::min(next, look_up_deadline_);
  if (full_since_ != SteadyTime::max()) next = std::min(next, full_since_ + timing_.grow_after);
  for (const Member& m : members_) next = std::min(next, m.connection->next_timer());
  return next;
}

// ---- results ---------------------------------------------------------------------------------------------------

void H2Pool::finish(H2Exchanges exchanges, SteadyTime now) {
  for (H2Exchange& x : exchanges) {
    x.response.version = 2;
    x.response.cookie = x.request.cookie;
    x.response.elapsed_ns = std::chrono::nanoseconds(now - x.sent_at).count();
    Counter& count = x.response.delivery == Delivery::answered     ? gate_->answered
                     : x.response.delivery == Delivery::maybe_sent ? gate_->maybe_sent
                                                                   : gate_->not_sent;
    if (x.response.delivery == Delivery::answered) failures_ = 0;
    count.bump();
    gate_->leave();
    x.done(std::move(x.response));
  }
}

void H2Pool::collect(Member& m, SteadyTime now) {
  const H2Connection::Tally tally = m.connection->take_tally();
  gate_->goaways.bump(tally.goaways);
  gate_->refused_streams.bump(tally.refused_streams);
  gate_->lost_pings.bump(tally.lost_pings);
  if (m.connection->has_results()) take_results(m, now);
  if (tally.turned_away) no_connection(Fault::io, m.connection->why_gone(), now);
}

// What was surely not looked at takes another connection, ahead of what has waited less, a few times.
void H2Pool::take_results(Member& m, SteadyTime now) {
  H2Exchanges ended = m.connection->take_ended(), again;
  H2Exchanges unprocessed = m.connection->take_unprocessed();
  while (!unprocessed.empty()) {
    H2Exchange& x = unprocessed.front();
    if (++x.moves > kMostMoves || now >= x.expires) {
      ended.splice(ended.end(), unprocessed, unprocessed.begin());
    } else {
      gate_->moved.bump();
      next_expiry_ = std::min(next_expiry_, x.expires);
      again.splice(again.end(), unprocessed, unprocessed.begin());
    }
  }
  queue_.splice(queue_.begin(), again);
  finish(std::move(ended), now);
}

bool H2Pool::bury_the_dead(SteadyTime now) {
  const size_t before = members_.size();
  for (size_t i = 0; i < members_.size();) {
    collect(members_[i], now);
    if (members_[i].connection->phase() != Phase::dead) {
      ++i;
      continue;
    }
    const Member gone = std::move(members_[i]);
    members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(i));
    if (gone.fd >= 0) {
      driver_.poller().remove(gone.fd);
      driver_.own_socket(gone.fd, id_, nullptr);
    }
    if (!gone.connection->was_open()) connect_failed(*gone.connection, now);
    if (gone.connection->was_lost()) gate_->connections_lost.bump();
  }
  if (members_.empty()) old_tls_.clear();
  return members_.size() < before;
}

void H2Pool::connect_failed(const H2Connection& c, SteadyTime now) {
  if (c.speaks_http1() && hand_over_) {
    speaks_http1_ = true;
    return;
  }
  no_connection(Fault::io, c.why_gone(), now);
}

// Whatever stood in the way, a name server or a certificate too: the next one waits longer.
void H2Pool::no_connection(Fault fault, const std::string& why, SteadyTime now) {
  gate_->connect_failures.bump();
  last_failure_ = why;
  const auto doubled = timing_.backoff_first * (1u << std::min(failures_, 16u));
  const auto wait = std::min<milliseconds>(timing_.backoff_most, doubled);
  ++failures_;
  retry_at_ = now + std::chrono::duration_cast<SteadyTime::duration>(wait * (0.75 + driver_.random() / 2));
  if (usable() == 0) refuse_queue(fault, last_failure_, now);
}

void H2Pool::refuse_queue(Fault fault, const std::string& why, SteadyTime now) {
  for (H2Exchange& x : queue_) x.fail(Delivery::not_sent, fault, why);
  finish(std::exchange(queue_, {}), now);
}

void H2Pool::expire(SteadyTime now) {
  if (looking_up_ && now >= look_up_deadline_) {
    looking_up_ = 0;
    no_connection(
        Fault::timeout,
        "no address for " + gate_->origin.host + " within " + std::to_string(gate_->options.connect_timeout_ms) + " ms",
        now);
  }
  if (now < next_expiry_) return;
  next_expiry_ = SteadyTime::max();
  H2Exchanges late;
  for (auto x = queue_.begin(); x != queue_.end();) {
    const auto next = std::next(x);
    if (now >= x->expires) {
      x->fail(Delivery::not_sent, Fault::timeout, "no free stream in time");
      late.splice(late.end(), queue_, x);
    } else {
      next_expiry_ = std::min(next_expiry_, x->expires);
    }
    x = next;
  }
  finish(std::move(late), now);
  for (Member& m : members_) {
    H2Exchanges& out = m.connection->on_streams();
    for (auto x = out.begin(); x != out.end();) {
      const auto next = std::next(x);
      if (now >= x->expires)
        m.connection->abandon(x, Fault::timeout, "no answer in time");
      else
        next_expiry_ = std::min(next_expiry_, x->expires);
      x = next;
    }
    collect(m, now);
  }
}

// ---- sending ---------------------------------------------------------------------------------------------------

size_t H2Pool::usable() const {
  return static_cast<size_t>(std::count_if(members_.begin(), members_.end(),
                                           [](const Member& m) { return m.connection->phase() == Phase::open; }));
}

H2Connection* H2Pool::least_busy() {
  H2Connection* best = nullptr;
  for (Member& m : members_) {
    H2Connection& c = *m.connection;
    if (c.phase() != Phase::open || c.in_use() >= c.limit()) continue;
    if (!best || c.in_use() < best->in_use()) best = &c;
  }
  return best;
}

void H2Pool::dispatch(SteadyTime now) {
  if (speaks_http1_) {
    while (!queue_.empty()) {
      H2Exchange& x = queue_.front();
      gate_->leave();
      hand_over_(std::move(x.request), std::move(x.done), x.expires);
      queue_.pop_front();
    }
    return;
  }
  while (!queue_.empty()) {
    H2Connection* c = least_busy();
    if (!c) break;
    if (!c->submit(queue_, queue_.begin())) c->drain(now, "its stream numbers are used up");
  }
  uint32_t needed = static_cast<uint32_t>(queue_.size());
  for (const Member& m : members_) needed += m.connection->in_use();
  most_needed_ = std::max(most_needed_, needed);
}

// ---- how many connections ----------------------------------------------------------------------------------------

void H2Pool::grow(SteadyTime now) {
  // A moment in which nothing waits, because the next requests are still on their way here, is no lack of work.
  uint32_t needed = static_cast<uint32_t>(queue_.size()), capacity = 0;
  for (const Member& m : members_) {
    needed += m.connection->in_use();
    capacity += m.connection->limit();
  }
  if (needed == 0 || needed < capacity - capacity / 4) full_since_ = SteadyTime::max();
  if (queue_.empty()) return;
  size_t alive = 0;
  bool opening = looking_up_ != 0;
  for (const Member& m : members_) {
    alive += m.connection->phase() == Phase::open || m.connection->phase() == Phase::dialling;
    opening |= m.connection->phase() == Phase::dialling;
  }
  if (opening) {
    full_since_ = SteadyTime::max();
    return;
  }
  if (alive == 0) {
    // Draining connections do not count: they take nothing any more.
    if (now < retry_at_) return refuse_queue(Fault::io, last_failure_ + " (trying again soon)", now);
    return dial(now);
  }
  if (alive >= gate_->options.max_connections || now < retry_at_) {
    full_since_ = SteadyTime::max();
    return;
  }
  if (full_since_ == SteadyTime::max()) full_since_ = now;
  if (now - full_since_ < timing_.grow_after) return;
  full_since_ = SteadyTime::max();
  dial(now);
}

void H2Pool::dial(SteadyTime now) {
  const HttpPoolOptions& o = gate_->options;
  const TlsIdentity identity = o.identity ? o.identity() : TlsIdentity{};
  if (gate_->origin.tls && (!tls_ || tls_->version() != identity.version)) {
    Result<std::unique_ptr<TlsContext>> made =
        TlsContext::make(o.ca_file, identity, o.versions == 0 || (o.versions & 1) != 0);
    if (!made) return no_connection(Fault::io, made.error().message, now);
    if (tls_) old_tls_.push_back(std::move(tls_));  // its connections may still be dialling
    tls_ = *std::move(made);
  }
  looking_up_ = ++last_look_up_;
  look_up_deadline_ = now + milliseconds(o.connect_timeout_ms);
  if (o.identity) identity_at_ = now + timing_.identity_check;
  if (shrink_at_ == SteadyTime::max()) shrink_at_ = now + milliseconds(o.idle_timeout_ms);
  driver_.look_up(id_, looking_up_, proxy_ ? proxy_->host : gate_->origin.host,
                  proxy_ ? proxy_->port : gate_->origin.port);
}

void H2Pool::resolved(uint64_t number, Resolved answer, SteadyTime now) {
  if (number != looking_up_) return;  // we have given up waiting for it
  looking_up_ = 0;
  const HttpPoolOptions& o = gate_->options;
  if (answer.addresses.empty()) return no_connection(Fault::io, answer.error, now);
  gate_->connects.bump();
  const std::string& name = o.server_name.empty() ? gate_->origin.host : o.server_name;
  auto transport = std::make_unique<Transport>(std::move(answer.addresses), gate_->origin, name, tls_.get(), proxy_);
  Member member;
  member.connection = std::make_unique<H2Connection>(o, timing_, gate_->origin, std::move(transport), now);
  member.identity = tls_ ? tls_->version() : 0;
  members_.push_back(std::move(member));
  members_.back().connection->start(now);
}

void H2Pool::shrink(SteadyTime now) {
  if (now < shrink_at_) return;
  uint32_t capacity = 0, smallest = UINT32_MAX;
  H2Connection* oldest = nullptr;
  for (Member& m : members_)
    if (m.connection->phase() == Phase::open) {
      if (!oldest) oldest = m.connection.get();
      capacity += m.connection->limit();
      smallest = std::min(smallest, m.connection->limit());
    }
  if (usable() > 1 && most_needed_ < (capacity - smallest) / 2) oldest->drain(now, "fewer connections are enough");
  most_needed_ = 0;
  shrink_at_ = members_.empty() ? SteadyTime::max() : now + milliseconds(gate_->options.idle_timeout_ms);
}

void H2Pool::renew(SteadyTime now) {
  if (now < identity_at_) return;
  identity_at_ = members_.empty() ? SteadyTime::max() : now + timing_.identity_check;
  const uint64_t present = gate_->options.identity ? gate_->options.identity().version : 0;
  for (Member& m : members_)
    if (m.identity != present && m.connection->phase() == Phase::open)
      m.connection->drain(now, "the client certificate has changed");
}

// ---- what others see -------------------------------------------------------------------------------------------

void H2Pool::watch(Member& m) {
  H2Connection& c = *m.connection;
  const int fd = c.fd();
  if (fd != m.fd) {  // another address is being tried
    if (m.fd >= 0) driver_.own_socket(m.fd, id_, nullptr);
    m.fd = fd;
    m.watched = 0;
    if (fd >= 0) driver_.own_socket(fd, id_, &c);
  }
  if (fd < 0) return;
  const uint32_t wanted = Poller::kRead | (c.wants_write() ? Poller::kWrite : 0);
  // While it dials, a new socket may bear the old one's number, and epoll forgot that one when it was closed.
  if (wanted == m.watched && c.phase() != Phase::dialling) return;
  m.watched = wanted;
  driver_.poller().set(fd, wanted);
}

void H2Pool::publish() {
  uint32_t capacity = 0, in_flight = 0, open = 0;
  for (const Member& m : members_) {
    capacity += m.connection->limit();
    in_flight += m.connection->in_use();
    open += m.connection->phase() == Phase::open;
  }
  gate_->connections.set(open);
  gate_->in_flight.set(in_flight);
  const uint32_t told = open ? capacity : H2Gate::kUnknownCapacity;
  if (told == told_) return;
  told_ = told;
  gate_->set_capacity(told);
  if (gate_->options.on_slots) gate_->options.on_slots(told);
}

}  // namespace godwit::net
