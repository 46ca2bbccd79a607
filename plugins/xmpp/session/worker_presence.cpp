// Who is there. A device tells us by accepting our subscription, by subscribing to us, or by presence that it directs
// to us; an Androidpn phone that does none of it is asked now and then.
#include <algorithm>

#include "plugins/xmpp/session/worker.hpp"
#include "plugins/xmpp/xml/escape.hpp"

namespace xmpp {
namespace {

std::string presence(std::string_view type, std::string_view from, std::string_view to) {
  std::string out = "<presence";
  if (!type.empty()) out.append(" type='").append(type).append("'");
  if (!from.empty()) out.append(" from='").append(escaped(from)).append("'");
  return out.append(" to='").append(escaped(to)).append("'/>");
}

}  // namespace

void Worker::on_presence(const Inbound& in) {
  const auto from = Jid::parse(in.from);
  if (!from || from->local.empty() || from->bare() == settings_.jid.bare()) return;
  const std::string bare = from->bare(), sender = this->from();
  // A resource of negative priority gets no message that is sent to the account (RFC 6121 §8.5.2.1.1).
  const bool is_deaf = in.has_negative_priority && settings_.dialect == DialectKind::xmpp;
  if (in.type.empty() && !is_deaf) {
    report(book_.available(*from));
  } else if (in.type.empty()) {
    report(book_.unavailable(*from));
  } else if (in.type == "unavailable") {
    const auto changes = book_.unavailable(*from);
    report(changes);
    if (!changes.empty()) make_sure(*from);
  } else if (in.type == "subscribed") {
    book_.subscribed(bare, true);
  } else if (in.type == "unsubscribed" || in.type == "unsubscribe") {
    book_.subscribed(bare, false);
  } else if (in.type == "subscribe") {
    control_.push_back(presence("subscribed", sender, bare));
    control_.push_back(presence("", sender, bare));
    if (!book_.is_subscribed(bare)) control_.push_back(presence("subscribe", sender, bare));
  } else if (in.type == "probe") {
    control_.push_back(presence("", sender, bare));
  }
}

// A device that signs in anew takes its old session's place under the same address. ejabberd 23.01 may announce the
// old one's end after the new one's beginning, so who goes is asked once whether it is back.
void Worker::make_sure(const Jid& gone) {
  if (settings_.holds_at_server) return;
  if (settings_.mode == Mode::component && book_.is_subscribed(gone.bare()))
    again_.probe.push_back(gone.bare());
  else if (!gone.resource.empty())
    again_.ping.push_back(gone.full());
}

// With `offline: server` the host must go on sending to who is away, so it is told nothing.
void Worker::report(const std::vector<PresenceBook::Change>& changes) {
  if (settings_.holds_at_server) return;
  for (const PresenceBook::Change& c : changes) {
    if (c.is_online) away_.erase(c.address);
    godwit::Event event{
        .kind = GW_EVENT_PRESENCE, .subkind = c.is_online ? GW_PRESENCE_ONLINE : GW_PRESENCE_OFFLINE, .seq = ++seq_};
    event.address = c.address;
    event.connection_id = c.address;
    events_.send(event);
  }
}

void Worker::ask_presence(const Jid& device) {
  const std::string bare = device.bare();
  if (book_.must_ask(bare)) control_.push_back(presence("subscribe", from(), bare));
}

// The host will not send to this device before it is told that it is back.
void Worker::is_away(const Jid& device) {
  if (settings_.holds_at_server) return;
  if (settings_.dialect == DialectKind::androidpn && !book_.is_subscribed(device.bare()) && away_.size() < kMostAway)
    away_.insert(device.full());
}

// A new stream: what the old one told is void, and the server tells a component nothing by itself.
void Worker::start_presence_anew() {
  events_.send({.kind = GW_EVENT_PRESENCE_RESET});
  again_ = book_.forget();
}

// Some at a time, when there is nothing better to send.
void Worker::ask_again() {
  const auto ping = [this](const std::string& full) {
    std::string out =
        "<iq type='get' id='" + std::string(kCheckId) + std::to_string(++seq_) + "' to='" + escaped(full) + "'";
    if (const std::string sender = from(); !sender.empty()) out += " from='" + escaped(sender) + "'";
    control_.push_back(out + "><ping xmlns='urn:xmpp:ping'/></iq>");
  };
  for (size_t n = 0; n < kChecksAtOnce && !again_.probe.empty(); ++n) {
    // A client's server answers its first presence with everybody's.
    if (settings_.mode == Mode::component) control_.push_back(presence("probe", from(), again_.probe.back()));
    again_.probe.pop_back();
  }
  for (size_t n = 0; n < kChecksAtOnce && !again_.ping.empty(); ++n) {
    ping(again_.ping.back());
    again_.ping.pop_back();
  }
}

void Worker::check_away() {
  if (phase_ != Phase::up || away_.empty() || now_ns_ < next_check_ns_ || !again_.ping.empty()) return;
  next_check_ns_ = now_ns_ + kCheckEveryNs;
  again_.ping.assign(away_.begin(), away_.end());
}

void Worker::on_check(const Inbound& in) {
  const auto from = Jid::parse(in.from);
  if (!from || from->resource.empty()) return;
  const bool is_gone =
      in.is_error && (in.error.condition == "service-unavailable" || in.error.condition == "item-not-found" ||
                      in.error.condition == "recipient-unavailable");
  if (!is_gone) report(book_.available(*from));
}

}  // namespace xmpp
