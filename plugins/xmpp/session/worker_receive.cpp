// Stanzas in.
#include <charconv>

#include "plugins/xmpp/push/verdict.hpp"
#include "plugins/xmpp/session/worker.hpp"
#include "plugins/xmpp/xml/escape.hpp"

namespace xmpp {
namespace {

bool is_stanza(const Element& e) {
  return e.name == "message" || e.name == "iq" || e.name == "presence";
}

std::string_view word_of(uint32_t subkind) {
  switch (subkind) {
    case GW_RECEIPT_DISPLAYED:
      return "displayed";
    case GW_RECEIPT_OPENED:
      return "opened";
    case GW_RECEIPT_DISMISSED:
      return "dismissed";
    default:
      return "delivered";
  }
}

}  // namespace

void Worker::read() {
  // As much as one turn may take, so that sending is not starved.
  for (int turn = 0; turn < 4 && connection_.is_open(); ++turn) {
    size_t count = 0;
    const auto done = connection_.read(buffer_.data(), buffer_.size(), count);
    if (done == Connection::Io::again) return;
    if (done == Connection::Io::closed) return cut({LinkFault::Kind::network, "closed", connection_.error()});
    heard_at_ns_ = now_ns_;
    std::vector<StreamEvent> heard;
    const bool is_sound = parser_.feed({buffer_.data(), count}, heard);
    is_restarted_ = false;
    for (const StreamEvent& event : heard) {
      on_event(event);
      // What came in one piece with the end of the old document may have been put there by somebody else.
      if (!connection_.is_open() || is_restarted_) return;
    }
    if (!is_sound)
      return cut({LinkFault::Kind::network, "not-well-formed", "the server's stream is broken: " + parser_.fault()});
    if (events_.size() >= kMostWaitingEvents) return;
  }
}

void Worker::on_event(const StreamEvent& event) {
  if (login_) return take_step(login_->on(event));
  if (phase_ != Phase::up) return;
  switch (event.kind) {
    case StreamEvent::Kind::open:
      return;
    case StreamEvent::Kind::close:
      return cut({LinkFault::Kind::network, "closed", "the server closed the stream"});
    case StreamEvent::Kind::dropped:
      totals_.dropped.add();
      if (is_stanza(event.element)) ++resumption_.handled;
      return;
    case StreamEvent::Kind::stanza:
      return on_stanza(event.element);
  }
}

void Worker::on_stanza(const Element& e) {
  has_answered_ = true;
  if (is_stanza(e)) {
    // Unasked too: ejabberd ends a stream with 5,000 stanzas that nobody has acknowledged, and a burst of receipts
    // after a resumption comes faster than its questions.
    if (++resumption_.handled % kAcknowledgeEvery == 0 && session_.counts_stanzas)
      out_ += "<a xmlns='urn:xmpp:sm:3' h='" + std::to_string(resumption_.handled) + "'/>";
    const Inbound in = read_stanza(e);
    switch (in.kind) {
      case Inbound::Kind::nothing:
        return;
      case Inbound::Kind::receipt:
      case Inbound::Kind::answer:
        return on_receipt(in);
      case Inbound::Kind::refused:
        return on_refused(in);
      case Inbound::Kind::presence:
        return on_presence(in);
      case Inbound::Kind::check:
        return on_check(in);
      case Inbound::Kind::question:
        return answer(in);
      case Inbound::Kind::barrier:
        break;
    }
    if (!in.id.starts_with(barrier_)) return;  // of a link before this one
    const std::string_view digits = in.id.substr(barrier_.size());
    uint64_t number = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc()) confirmed(number);
  } else if (e.is("r", ns::kSm)) {
    out_ += "<a xmlns='urn:xmpp:sm:3' h='" + std::to_string(resumption_.handled) + "'/>";
  } else if (e.is("a", ns::kSm)) {
    const std::string_view h = e.attribute("h");
    uint32_t handled = 0;
    if (std::from_chars(h.data(), h.data() + h.size(), handled).ec == std::errc()) confirmed_count(handled);
  } else if (e.is("error", ns::kStream)) {
    resumption_ = {};  // RFC 6120 §4.9.1.1: it cannot be gone on with
    LinkFault fault = stream_fault(e);
    // Of a stream that worked: a passing limit, or Prosody 0.12.3, whose parser stumbles after a resumption where the
    // stream before was cut inside a stanza.
    if (fault.code == "policy-violation") fault.kind = LinkFault::Kind::network;
    cut(std::move(fault));
  }
}

void Worker::on_receipt(const Inbound& in) {
  const auto from = Jid::parse(in.from);
  if (!from || from->local.empty() || in.id.empty() || in.id.size() > 128) return;
  const std::string bare = from->bare();
  const std::string key = Flights::key_of(in.id, bare);
  const uint32_t subkind = in.kind == Inbound::Kind::answer ? GW_RECEIPT_DELIVERED : in.subkind;
  std::string address = bare;
  uint64_t ticket = 0;
  if (Flight* f = flights_.find_key(key, ticket)) {
    address = f->pending.message().target().address();
    flights_.settle(ticket, godwit::Outcome::accepted(key));  // the outcome goes before its receipt
  }
  totals_.receipts.add();
  const std::string event_id = key + "/" + std::string(word_of(subkind));
  godwit::Event event = godwit::Event::receipt(subkind, key, event_id);
  event.flags = GW_EVENT_BY_DEVICE;
  event.message_id = in.id;
  event.address = address;
  event.seq = ++seq_;
  events_.send(event);
  // Who answers is there, whatever presence has told.
  if (!settings_.holds_at_server && settings_.dialect == DialectKind::androidpn) away_.erase(from->full());
}

void Worker::on_refused(const Inbound& in) {
  const auto from = Jid::parse(in.from);
  if (!from) return;
  uint64_t ticket = 0;
  const Flight* f = flights_.find_key(Flights::key_of(in.id, from->bare()), ticket);
  if (!f) return;  // settled before: too late to say otherwise
  totals_.refused.add();
  const godwit::Outcome outcome = outcome_of(in.error);
  const Jid device = f->to;
  flights_.settle(ticket, outcome);
  if (outcome.disposition == GW_UNREACHABLE) is_away(device);
}

void Worker::answer(const Inbound& in) {
  if (in.wants == Inbound::Wants::confirm) on_receipt(in);
  std::string out = "<iq id='" + escaped(in.iq_id) + "' to='" + escaped(in.from) + "'";
  if (const std::string sender = from(); !sender.empty()) out += " from='" + escaped(sender) + "'";
  switch (in.wants) {
    case Inbound::Wants::pong:
    case Inbound::Wants::confirm:
      out += " type='result'/>";
      break;
    case Inbound::Wants::disco:
      out +=
          " type='result'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='component' "
          "type='generic' name='Godwit'/><feature var='urn:xmpp:ping'/><feature var='urn:xmpp:receipts'/></query></iq>";
      break;
    default:
      out +=
          " type='error'><error type='cancel'><service-unavailable "
          "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
  }
  control_.push_back(std::move(out));
}

}  // namespace xmpp
