// Stanzas out, and how it is known that the server has them.
#include "plugins/xmpp/push/encode.hpp"
#include "plugins/xmpp/session/worker.hpp"
#include "plugins/xmpp/xml/escape.hpp"

namespace xmpp {

using godwit::Outcome;

// A client's stanzas are stamped by its server; a component must name itself.
std::string Worker::from() const {
  return settings_.mode == Mode::component ? settings_.jid.full() : std::string();
}

void Worker::pump() {
  if (phase_ != Phase::up) return;
  send_control();
  while (!flights_.queue.empty() && out_.size() < kMostUnsent && unacked_.size() < kMostUnacked) {
    const uint64_t ticket = flights_.queue.front();
    flights_.queue.pop_front();
    Flight* f = flights_.find(ticket);
    if (!f || f->state != Flight::State::queued) continue;
    send_flight(ticket, *f);
    if (sent_ - asked_ >= kAskEvery) ask();
  }
  if (flights_.queue.empty() && control_.empty() && out_.size() < kMostUnsent) ask_again();
  send_control();  // what came up while sending
  if (!unacked_.empty() && unacked_.back().number > asked_) ask();
}

void Worker::send_control() {
  while (!control_.empty() && out_.size() < kMostUnsent) {
    write_stanza(control_.front(), 0);
    control_.pop_front();
  }
}

bool Worker::send_flight(uint64_t ticket, Flight& f) {
  if (now_ns_ >= f.expires_ns && f.pending.message().ttl_ms() > 0 && !f.may_have_left)
    return flights_.settle(ticket, Outcome::expired()), false;
  const std::string to = f.to.full(), sender = from();
  const Envelope envelope{sender, to, settings_.api_key, f.expires_wall_ms, settings_.holds_at_server};
  scratch_.clear();
  auto refused = settings_.dialect == DialectKind::xmpp ? encode_xmpp(f.pending.message(), envelope, scratch_)
                                                        : encode_androidpn(f.pending.message(), envelope, scratch_);
  if (refused) return flights_.settle(ticket, *refused), false;
  if (!settings_.holds_at_server) ask_presence(f.to);
  (f.may_have_left ? totals_.sent_again : totals_.sent).add();
  f.state = Flight::State::written;
  f.begin = out_begin_ + out_.size();
  write_stanza(scratch_, ticket);
  return true;
}

void Worker::write_stanza(std::string_view bytes, uint64_t ticket) {
  out_ += bytes;
  ++sent_;
  const bool is_kept = ticket == 0 && !session_.resume_id.empty();
  if (ticket != 0 || is_kept) unacked_.push_back({sent_, ticket, is_kept ? std::string(bytes) : std::string()});
}

// Asks the server whether it has read everything so far.
void Worker::ask() {
  asked_ = sent_;
  if (asked_at_ns_ == 0) asked_at_ns_ = now_ns_;
  if (session_.counts_stanzas) {
    out_ += "<r xmlns='urn:xmpp:sm:3'/>";
    return;
  }
  // A component's question goes to itself, a client's to its server: either comes back only after all before it was
  // read, because a server reads one stream in order.
  out_ += "<iq type='get' id='" + barrier_ + std::to_string(asked_) + "'";
  if (const std::string sender = from(); !sender.empty()) out_ += " from='" + escaped(sender) + "'";
  const std::string to = settings_.mode == Mode::component ? settings_.jid.full() : settings_.jid.domain;
  out_ += " to='" + escaped(to) + "'><ping xmlns='urn:xmpp:ping'/></iq>";
}

void Worker::confirmed(uint64_t number) {
  if (number > sent_) return;
  confirmed_ = std::max(confirmed_, number);
  asked_at_ns_ = confirmed_ < asked_ ? now_ns_ : 0;
  while (!unacked_.empty() && unacked_.front().number <= confirmed_) {
    const uint64_t ticket = unacked_.front().ticket;
    unacked_.pop_front();
    if (Flight* f = flights_.find(ticket); f && f->state == Flight::State::written) taken(ticket, *f);
  }
}

// XEP-0198 §4: counts are modulo 2^32. False: the server claims what was never sent, and the link is cut.
bool Worker::confirmed_count(uint32_t handled) {
  const uint32_t more = handled - static_cast<uint32_t>(confirmed_);
  if (more > sent_ - confirmed_) {
    resumption_ = {};
    cut({LinkFault::Kind::network, "handled-count-too-high", "the server counts more stanzas than we sent"});
    return false;
  }
  confirmed(confirmed_ + more);
  return true;
}

void Worker::taken(uint64_t ticket, Flight& f) {
  totals_.confirmed.add();
  // With XEP-0198 the server repeats a receipt that was lost with the link; without, only the device can, and does when
  // it gets the message once more. An Androidpn phone would show it once more, so there it is for a refusal only.
  const uint64_t patience = settings_.dialect == DialectKind::androidpn ? kAndroidpnPatienceNs
                            : session_.counts_stanzas                   ? 0
                                                                        : kReceiptPatienceNs;
  if (patience == 0) return flights_.settle(ticket, Outcome::accepted(f.vendor_id()));
  f.was_confirmed = true;
  f.state = Flight::State::taken;
  patience_.emplace_back(now_ns_ + patience, ticket);
}

// The stream is resumed: what the server did not count goes out again, in order.
void Worker::send_again() {
  std::deque<Sent> rest;
  rest.swap(unacked_);
  sent_ = asked_ = confirmed_;
  for (Sent& s : rest) {
    if (s.ticket == 0) {
      write_stanza(s.bytes, 0);
    } else if (Flight* f = flights_.find(s.ticket)) {
      f->may_have_left = false;  // the server says so
      send_flight(s.ticket, *f);
    }
  }
}

// The stream is lost: what was not confirmed, and what has no receipt yet, goes back to the front of the queue, in
// order. It may have arrived, so what must not be sent twice ends here.
void Worker::requeue() {
  for (auto it = unacked_.rbegin(); it != unacked_.rend(); ++it) {
    Flight* f = flights_.find(it->ticket);
    if (!f || f->state != Flight::State::written) continue;
    if (f->may_have_left && f->pending.message().is_at_most_once()) {
      totals_.unknown_ends.add();
      Outcome unknown = Outcome::unknown("the link was lost before the server confirmed it");
      unknown.vendor_code = "link-lost";
      unknown.vendor_id = f->vendor_id();
      flights_.settle(it->ticket, unknown);
      continue;
    }
    f->state = Flight::State::queued;
    flights_.queue.push_front(it->ticket);
  }
  unacked_.clear();
  if (settings_.dialect == DialectKind::androidpn) return;
  for (auto it = patience_.rbegin(); it != patience_.rend(); ++it) {
    Flight* f = flights_.find(it->second);
    if (!f || f->state != Flight::State::taken || f->pending.message().is_at_most_once()) continue;
    f->state = Flight::State::queued;
    f->may_have_left = true;
    flights_.queue.push_front(it->second);
  }
}

void Worker::flush() {
  while (!out_.empty() && connection_.is_open() && phase_ != Phase::connecting && phase_ != Phase::encrypting) {
    size_t count = 0;
    const auto done = connection_.write(out_, count);
    if (done == Connection::Io::again) return;
    if (done == Connection::Io::closed) return cut({LinkFault::Kind::network, "write", connection_.error()});
    out_begin_ += count;
    out_.erase(0, count);
  }
}

}  // namespace xmpp
