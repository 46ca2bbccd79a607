#include "plugins/selfconn/gateway/shard.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>

#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

constexpr size_t kInputSize = kMaxPacketSize + 64 * 1024;
constexpr int kEventsPerRound = 512;

// What epoll gives back: a record's number and generation, or one of these.
constexpr uint64_t kMailbox = ~uint64_t{0};
constexpr uint64_t kListener = uint64_t{kNone} << 32;  // | which

uint64_t name_of(const Connection& c) {
  return uint64_t{c.generation} << 32 | c.self;
}

bool control(int epoll_fd, int operation, int fd, uint32_t events, uint64_t name) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = name;
  return ::epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

constexpr uint32_t kConnectionEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

Shard::Shard(Fleet& fleet_, uint32_t number_)
    : fleet(fleet_),
      number(number_),
      now_ns(fleet_.host.now_mono_ns()),
      tick(static_cast<uint32_t>(now_ns / kTickNs)),
      sessions(2 * (size_t{fleet_.settings.max_connections} / fleet_.mailboxes.size() + 1)),
      // The sockets of one address are spread over the listeners by the kernel.
      connect_rate(
          fleet_.settings.connect_rate == 0
              ? 0
              : std::max<uint32_t>(1, fleet_.settings.connect_rate / static_cast<uint32_t>(fleet_.mailboxes.size()))),
      silence(fleet_.settings.keep_alive_first_s, fleet_.settings.keep_alive_max_s),
      settles(fleet_.host),
      counters(*fleet_.counters[number_]),
      input(kInputSize),
      epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an epoll descriptor");
  wheel.start(tick);
  control(epoll_fd_, EPOLL_CTL_ADD, fleet.mailboxes[number]->wake_fd(), EPOLLIN, kMailbox);
}

Shard::~Shard() {
  for (uint32_t i = 0; i < connections.size(); ++i)
    if (connections[i].fd >= 0) ::close(connections[i].fd);
  ::close(epoll_fd_);
}

void watch_listeners(Shard& shard, bool on) {
  if (shard.is_accepting == on) return;
  shard.is_accepting = on;
  for (size_t i = 0; i < shard.listeners.size(); ++i)
    control(shard.epoll_fd_, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, shard.listeners[i].fd, EPOLLIN, kListener | i);
}

void Shard::run() {
  watch_listeners(*this, true);
  while (!is_stopping_) turn(-1);
  stop();
}

void Shard::turn(int timeout_ms) {
  std::array<epoll_event, kEventsPerRound> events;
  const int count = ::epoll_wait(epoll_fd_, events.data(), kEventsPerRound, read_again.empty() ? timeout_ms : 0);
  // Before the clock: mail that says "time went on" must not be handled by an older reading of it.
  for (int i = 0; i < count; ++i)
    if (events[static_cast<size_t>(i)].data.u64 == kMailbox) fleet.mailboxes[number]->take(mail_);
  now_ns = fleet.host.now_mono_ns();
  tick = static_cast<uint32_t>(now_ns / kTickNs);
  wall_ms_ = 0;
  handle_mail();  // first: what it queues leaves together with what acknowledgements of this round make room for
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    const uint64_t name = event.data.u64;
    if (name == kMailbox) continue;
    if (name >= kListener) {
      if (is_accepting) accept_connections(*this, listeners[name & 0xFFFFFFFF]);
      continue;
    }
    Connection* c = connections.find(static_cast<uint32_t>(name), static_cast<uint32_t>(name >> 32));
    if (!c || c->fd < 0) continue;
    if (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) c->has_hung_up = true;
    if ((event.events & EPOLLOUT) && !c->unsent.empty()) write_on(*this, *c);
    // A layer may have waited for room to write before it could go on reading: the handshake of TLS.
    const bool may_read = (event.events & ~EPOLLOUT) || c->stream;
    if (may_read && c->fd >= 0) read_socket(*this, *c);
  }
  end_round();
}

void Shard::end_round() {
  if (!read_again.empty()) {
    std::vector<uint32_t> now_due;
    now_due.swap(read_again);
    for (uint32_t index : now_due)
      if (Connection& c = connections[index]; c.fd >= 0) read_socket(*this, c);
  }
  for (uint32_t index : pump_due) {
    Connection& c = connections[index];
    c.is_pump_due = false;
    if (c.phase == Phase::live) pump(*this, c);
  }
  pump_due.clear();
  wheel.advance(tick, [this](uint32_t index) { on_alarm(*this, connections[index]); });
  settles.flush();  // before events: "online again" must not overtake what became of the last connection's messages
  reports.flush();
  for (uint32_t index : doomed) connections.release(index);
  doomed.clear();
  if (is_draining) say_if_drained(*this);
}

void Shard::handle_mail() {
  for (Handover& handover : mail_.handovers) take_handover(*this, handover);
  for (auto& admission : mail_.admissions) admit_from_elsewhere(*this, *admission);
  for (uint64_t ticket : mail_.cancels) cancel_message(*this, ticket);
  if (mail_.event_room) reports.room();
  if (mail_.drain) start_drain(*this, mail_.drain_order);
  if (mail_.tick) on_tick();
  is_stopping_ = is_stopping_ || mail_.stop;
  mail_.clear();
}

void Shard::on_tick() {
  std::vector<uint32_t> now_due;
  now_due.swap(paused);
  for (uint32_t index : now_due) {
    Connection& c = connections[index];
    if (!c.is_paused) continue;
    c.is_paused = false;
    handle_bytes_at_hand(*this, c);
    if (c.fd >= 0 && !c.is_paused) read_again.push_back(index);  // its edge was not looked at
  }
  sessions.sweep(tick);
  if (is_draining)
    drain_some(*this);
  else
    watch_listeners(*this, true);
}

void Shard::stop() {
  watch_listeners(*this, false);
  for (uint32_t i = 0; i < connections.size(); ++i) {
    Connection& c = connections[i];
    if (c.phase == Phase::live) refuse(*this, c, mqtt::Reason::server_shutting_down, "the gateway stops");
  }
  for (uint32_t i = 0; i < connections.size(); ++i)
    if (connections[i].fd >= 0) drop(*this, connections[i], "the gateway stops");
  settles.flush();
  reports.flush();
}

Connection& Shard::add_connection(int fd) {
  const uint32_t index = connections.take();
  Connection& c = connections[index];
  c.self = index;
  c.fd = fd;
  c.phase = Phase::greeting;
  c.since_tick = c.heard_tick = tick;
  return c;
}

bool Shard::watch(Connection& c) {
  return control(epoll_fd_, EPOLL_CTL_ADD, c.fd, kConnectionEvents, name_of(c));
}
bool Shard::watch_again(Connection& c) {
  return control(epoll_fd_, EPOLL_CTL_MOD, c.fd, kConnectionEvents, name_of(c));
}
void Shard::unwatch(Connection& c) {
  control(epoll_fd_, EPOLL_CTL_DEL, c.fd, 0, 0);
}

void Shard::forget(Connection& c) {
  if (c.phase == Phase::doomed) return;
  wheel.clear(c.self);
  c.phase = Phase::doomed;
  doomed.push_back(c.self);
}

void Shard::pump_later(Connection& c) {
  if (c.is_pump_due) return;
  c.is_pump_due = true;
  pump_due.push_back(c.self);
}

uint64_t Shard::now_wall_ms() {
  if (wall_ms_ == 0) wall_ms_ = fleet.host.now_wall_ms();
  return wall_ms_;
}

std::string_view Shard::sent_at() {
  const uint64_t ms = now_wall_ms();
  if (ms != sent_at_ms_ || sent_at_[0] == 0) {
    sent_at_ms_ = ms;
    const auto seconds = static_cast<std::time_t>(ms / 1000);
    std::tm tm{};
    ::gmtime_r(&seconds, &tm);
    const size_t length = std::strftime(sent_at_, sizeof sent_at_, "%Y-%m-%dT%H:%M:%S", &tm);
    std::snprintf(sent_at_ + length, sizeof sent_at_ - length, ".%03uZ", static_cast<unsigned>(ms % 1000));
  }
  return sent_at_;
}

}  // namespace selfconn
