#include "plugins/xmpp/session/worker.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "plugins/xmpp/login/crypto.hpp"

namespace xmpp {

using godwit::Outcome;

Worker::Worker(godwit::Host host, Settings settings)
    : host_(host),
      settings_(std::move(settings)),
      backoff_(host.now_wall_ms() ^ reinterpret_cast<uintptr_t>(this)),
      events_(host),
      book_(settings_.domain),
      buffer_(64 * 1024) {}

Worker::~Worker() {
  stop();
}

void Worker::start() {
  wake_ = std::make_unique<const WakeUp>();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "xmpp");
    host_.instance()->guard("the xmpp thread", [this] { run(); });
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// ---- the mailbox

void Worker::submit(godwit::Batch& batch) {
  post([&](Mail& mail) {
    mail.pushes.reserve(mail.pushes.size() + batch.size());
    while (!batch.empty()) mail.pushes.push_back(batch.take());
  });
}
void Worker::cancel(uint64_t ticket) {
  post([&](Mail& mail) { mail.cancels.push_back(ticket); });
}
void Worker::set_password(std::string password) {
  post([&](Mail& mail) { mail.password = std::move(password); });
}
void Worker::event_room() {
  post([](Mail& mail) { mail.has_event_room = true; });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  post([](Mail& mail) { mail.is_stopping = true; });
  thread_.join();
}

// ---- the thread

void Worker::run() {
  events_.send({.kind = GW_EVENT_PRESENCE_RESET});
  for (;;) {
    now_ns_ = host_.now_mono_ns();
    if (!take_mail()) break;
    on_time();
    advance();
    pump();
    flush();
    totals_.open.set(flights_.size());
    totals_.unconfirmed.set(flights_.queue.size() + unacked_.size());
    totals_.online.set(book_.online());
    wait();
  }
  settle_all();
  hang_up();
}

bool Worker::take_mail() {
  wake_->answer();
  Mail mail;
  {
    std::lock_guard lock(mutex_);
    std::swap(mail, mail_);
  }
  for (godwit::Pending& pending : mail.pushes) take_push(std::move(pending));
  if (mail.has_event_room) events_.flush();
  if (mail.password) {
    password_ = std::move(*mail.password);
    if (phase_ == Phase::waiting && last_fault_ == LinkFault::Kind::configuration) next_try_ns_ = 0;
  }
  if (mail.addresses) use_addresses(std::move(*mail.addresses), mail.resolve_error);
  for (const uint64_t ticket : mail.cancels)
    if (const Flight* f = flights_.find(ticket); f && f->state == Flight::State::queued && !f->may_have_left)
      flights_.settle(ticket, Outcome::cancelled());
  return !mail.is_stopping;
}

void Worker::take_push(godwit::Pending pending) {
  const godwit::Message message = pending.message();
  auto to = Jid::parse(message.target().address());
  if (to && to->local.empty() && to->resource.empty() && !settings_.domain.empty())
    to = Jid::parse(std::string(message.target().address()) + "@" + settings_.domain);
  if (!to || to->local.empty()) return pending.settle(Outcome::target_invalid("jid-malformed"));
  if (settings_.dialect == DialectKind::androidpn && to->resource.empty()) to->resource = "AndroidpnClient";
  if (!settings_.holds_at_server && book_.of(*to) == PresenceBook::State::offline)
    return pending.settle(Outcome::unreachable("presence-unavailable"));

  const uint64_t ticket = message.ticket();
  const uint64_t ttl_ms = std::min<uint64_t>(message.ttl_ms(), uint64_t{1000} * 24 * 3600 * 365);
  Flight& f = flights_.add(ticket, std::move(pending));
  f.deadline_ns = message.deadline_mono_ns();
  f.expires_ns = now_ns_ + std::max<uint64_t>(ttl_ms, 1) * kMs;
  f.expires_wall_ms = host_.now_wall_ms() + ttl_ms;
  f.to = std::move(*to);
  if (message.is_dry_run()) return flights_.settle(ticket, Outcome::accepted());
  flights_.name(ticket, f, Flights::key_of(message.message_id(), f.to.bare()));
  flights_.queue.push_back(ticket);
}

void Worker::wait() {
  pollfd descriptors[2] = {{wake_->descriptor(), POLLIN, 0}, {connection_.descriptor(), 0, 0}};
  if (connection_.is_open()) {
    const bool reads = phase_ != Phase::connecting && events_.size() < kMostWaitingEvents;
    const bool writes = phase_ == Phase::connecting || connection_.wants_write() || !out_.empty();
    descriptors[1].events = static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  }
  ::poll(descriptors, connection_.is_open() ? 2 : 1, -1);
  if (descriptors[1].revents == 0 || !connection_.is_open()) return;
  now_ns_ = host_.now_mono_ns();
  if (phase_ == Phase::connecting) return connected();
  if (phase_ == Phase::encrypting) return shake_hands();
  if (descriptors[1].revents & (POLLIN | POLLHUP | POLLERR)) read();
}

void Worker::on_time() {
  while (!patience_.empty() && patience_.front().first <= now_ns_) {
    const uint64_t ticket = patience_.front().second;
    patience_.pop_front();
    if (Flight* f = flights_.find(ticket); f && f->state == Flight::State::taken)
      flights_.settle(ticket, Outcome::accepted(f->vendor_id()));
  }
  if (now_ns_ < looked_at_ns_ + kTickNs) return;
  looked_at_ns_ = now_ns_;
  settle_overdue();
  check_away();
}

void Worker::settle_overdue() {
  flights_.settle_some([this](uint64_t, const Flight& f) -> std::optional<Outcome> {
    const bool is_late = f.deadline_ns != 0 && now_ns_ + kBeforeDeadlineNs >= f.deadline_ns;
    if (f.state == Flight::State::taken)
      return is_late ? std::optional(Outcome::accepted(f.vendor_id())) : std::nullopt;
    if (f.state == Flight::State::queued && !f.may_have_left) {
      if (now_ns_ >= f.expires_ns && phase_ != Phase::up) return Outcome::expired();
      if (is_late) return Outcome::retry("link-down", "no link to the XMPP server before the deadline");
      return std::nullopt;
    }
    if (!is_late) return std::nullopt;
    if (f.was_confirmed) return Outcome::accepted(f.vendor_id());
    totals_.unknown_ends.add();
    Outcome unknown = Outcome::unknown("written, but the server did not confirm it before the deadline");
    unknown.vendor_code = "not-confirmed";
    unknown.vendor_id = f.vendor_id();
    return unknown;
  });
}

// The truth about what is left when the channel stops.
void Worker::settle_all() {
  flights_.settle_some([](uint64_t, const Flight& f) -> std::optional<Outcome> {
    if (f.was_confirmed) return Outcome::accepted(f.vendor_id());
    if (f.state == Flight::State::queued && !f.may_have_left) return Outcome::cancelled();
    Outcome unknown = Outcome::unknown("the channel stopped before the server confirmed it");
    unknown.vendor_id = f.vendor_id();
    return unknown;
  });
}

}  // namespace xmpp
