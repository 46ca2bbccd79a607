// Sending: from a channel's queue to its lane, as much as it takes, most urgent first.
#include <algorithm>

#include "broker/dispatch/parcel.hpp"
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr uint32_t kMostAtOnce = 512;  // parcels in one submit

}  // namespace

void Core::enqueue(DeliveryIx dix, ChannelNo channel, const Choice& choice, uint8_t failures) {
  Delivery& d = book_.delivery(dix);
  const AttemptIx aix = book_.add_attempt(dix, channel, static_cast<uint8_t>(std::min(d.attempts + 1, 255)));
  book_.attempt(aix).choice = choice;
  d.failures = failures;
  ++d.live;
  d.waits_for_presence = false;
  slots_[channel].queue.push(aix, book_.message(d.message).message->priority);
  arm(dix, Wake::silence, now_ + kQueuePatience);
}

bool Core::pump() {
  bool more = false;
  for (ChannelSlot& slot : slots_)
    if (!slot.queue.empty() && slot.sleep == routing::Sleep::awake) more |= pump(slot);
  return more;
}

// True when the channel may take more at once.
bool Core::pump(ChannelSlot& slot) {
  const uint32_t credit = std::min(channels_->credit(slot.no, now_), kMostAtOnce);
  if (credit == 0) return false;
  const uint32_t most_targets = slot.caps.multicast ? std::max(slot.caps.max_targets, 1u) : 1;
  std::vector<uint32_t> flights;
  std::vector<AttemptIx> intents;
  while (!slot.queue.empty() && flights.size() < credit) {
    if (slot.in_flight + flights.size() > 0 && waits_for_more(slot, most_targets)) break;
    const AttemptIx aix = slot.queue.pop();
    if (!ready_to_send(slot, aix, intents)) continue;
    const uint32_t fix = flights_.add();
    Flight& flight = flights_[fix];
    flight.single = aix;
    flight.open = 1;
    const MessageIx message = book_.delivery(book_.attempt(aix).delivery).message;
    // The same message for neighbours in the queue goes out as one parcel where the channel can do that.
    while (flight.open < most_targets && !slot.queue.empty()) {
      const AttemptIx other = slot.queue.front();
      if (book_.attempt(other).delivery != kNone && (book_.delivery(book_.attempt(other).delivery).message != message ||
                                                     book_.attempt(other).number != book_.attempt(aix).number))
        break;
      slot.queue.pop();
      if (!ready_to_send(slot, other, intents)) continue;
      if (flight.many.empty()) flight.many.push_back(aix);
      flight.many.push_back(other);
      ++flight.open;
    }
    flights.push_back(fix);
  }
  if (!intents.empty()) write_intents(slot, std::move(intents));
  if (flights.empty()) return false;

  std::vector<std::shared_ptr<const Parcel>> parcels;
  parcels.reserve(flights.size());
  for (const uint32_t fix : flights) parcels.push_back(flights_[fix].parcel = make_parcel(slot, fix));
  const bool taken = channels_->submit(slot.no, std::move(parcels));
  for (size_t i = flights.size(); i > 0; --i) {
    const uint32_t fix = taken ? flights[flights.size() - i] : flights[i - 1];  // back in, the last comes first
    Flight& flight = flights_[fix];
    for (uint32_t t = flight.open; t > 0; --t) {
      const AttemptIx aix = flight.many.empty() ? flight.single : flight.many[t - 1];
      if (taken) {
        book_.attempt(aix).flight = fix;
        mark_sent(slot, aix);
      } else {
        slot.queue.push_front(aix,
                              book_.message(book_.delivery(book_.attempt(aix).delivery).message).message->priority);
      }
    }
    if (!taken) flights_.remove(fix);
  }
  return taken && !slot.queue.empty() && flights.size() == kMostAtOnce;
}

// A fan-out that still draws devices fills the parcel first, as long as others of this channel are on their way: their
// end brings us back here.
bool Core::waits_for_more(const ChannelSlot& slot, uint32_t most_targets) const {
  if (slot.queue.size() >= most_targets) return false;
  const DeliveryIx dix = book_.attempt(slot.queue.front()).delivery;
  if (dix == kNone) return false;
  const MessageEntry& m = book_.message(book_.delivery(dix).message);
  return m.fanout && !m.fanout->done && fanout_window_ < options_.max_fanout_open;
}

// False: this one does not go out now (it ended, expired, or its INTENT must be written first).
bool Core::ready_to_send(ChannelSlot& slot, AttemptIx aix, std::vector<AttemptIx>& intents) {
  Attempt& a = book_.attempt(aix);
  if (a.delivery == kNone) {  // dropped while it was queued
    book_.remove_dropped(aix);
    return false;
  }
  const DeliveryIx dix = a.delivery;
  if (now_ >= book_.message(book_.delivery(dix).message).expires_ns) {
    expire(dix);  // drops it
    if (book_.attempts().alive(aix) && book_.attempt(aix).delivery == kNone) book_.remove_dropped(aix);
    return false;
  }
  if (slot.caps.metered && !a.costly) {
    a.phase = Attempt::Phase::intent;
    intents.push_back(aix);
    return false;
  }
  return true;
}

ParcelTarget Core::target_of(const MessageEntry& m, const Delivery& d, const ChannelSlot& slot) const {
  if (d.bare_token) return {m.message->to.names[d.name], {}, {}};
  const auto token = registry_.token(d.device, slot.name);
  return {dispatch::address_of(m.message->app, registry_.id_of(d.device), token ? token->token : std::string_view()),
          std::string(registry_.user_of(d.device)), dispatch::device_extra(registry_, d.device)};
}

std::shared_ptr<const Parcel> Core::make_parcel(const ChannelSlot& slot, uint32_t fix) {
  const Flight& flight = flights_[fix];
  const Attempt& first = book_.attempt(flight.single);
  const MessageEntry& m = book_.message(book_.delivery(first.delivery).message);
  const Message& said = *m.message;
  auto parcel = std::make_shared<Parcel>();
  parcel->cookie = flights_.name_of(fix);
  parcel->message = m.message;
  parcel->message_id_text = said.id.text();
  parcel->vendor_options = dispatch::override_for(said, slot.name, slot.plugin);
  parcel->attempt = first.number;
  parcel->deadline_ns = std::min(now_ + options_.attempt_deadline_ms * kNsPerMs, m.expires_ns);
  parcel->ttl_ms = (m.expires_ns - now_) / kNsPerMs;
  parcel->at_most_once = slot.caps.metered;
  parcel->targets.reserve(flight.open);
  for (uint32_t t = 0; t < flight.open; ++t) {
    const Delivery& d = book_.delivery(book_.attempt(flight.many.empty() ? flight.single : flight.many[t]).delivery);
    parcel->targets.push_back(target_of(m, d, slot));
  }
  return parcel;
}

void Core::mark_sent(ChannelSlot& slot, AttemptIx aix) {
  Attempt& a = book_.attempt(aix);
  const DeliveryIx dix = a.delivery;
  Delivery& d = book_.delivery(dix);
  const MessageEntry& m = book_.message(d.message);
  if (d.device != kNoDevice) {
    const routing::Ask ask = ask_of(m, d);  // before this one counts as sent
    routing::Decision decision;
    decision.action = routing::Action::send;
    decision.channel = slot.route;
    decision.reason = a.choice.reason;
    decision.p = a.choice.p;
    decision.utility = a.choice.utility;
    decision.propensity = a.choice.propensity;
    decision.reach = a.choice.reach;
    decision.next_check_s = a.choice.next_check_s;
    a.memo = router_.sent(ask, decision, now_, wall_);
  }
  a.phase = Attempt::Phase::in_flight;
  a.started = m.since(wall_);
  ++slot.in_flight;
  reach(dix, DeliveryState::attempted);
  if (life_feed_.followed()) emit(m, &d, "attempted", slot.no);
  if (d.final) return;
  if (a.choice.next_check_s > 0)
    arm(dix, Wake::silence, now_ + static_cast<MonoNs>(a.choice.next_check_s * 1e9f));
  else
    arm(dix, Wake::none, m.expires_ns);
}

// A channel's queue moves elsewhere: the channel went to sleep, and its messages need not.
void Core::reroute_queue(ChannelSlot& slot) {
  for (size_t n = slot.queue.size(); n > 0; --n) {
    const AttemptIx aix = slot.queue.pop();
    const DeliveryIx dix = book_.attempt(aix).delivery;
    if (dix != kNone) book_.drop_queued(book_.delivery(dix));
    book_.remove_dropped(aix);
    if (dix == kNone || book_.delivery(dix).live > 0) continue;
    parked_.add_due(dix);
  }
  more_ |= parked_.any_due();
}

// ---- Costly channels: the intention is durable before the call, so that a crash in between is known afterwards

void Core::write_intents(ChannelSlot& slot, std::vector<AttemptIx> attempts) {
  std::string records;
  std::vector<uint64_t> names;
  for (const AttemptIx aix : attempts) {
    const Attempt& a = book_.attempt(aix);
    const Delivery& d = book_.delivery(a.delivery);
    body_buffer_.clear();
    const MessageId id = book_.message(d.message).message->id;
    records::put_intent(body_buffer_,
                        {id, d.device == kNoDevice ? std::string() : std::string(registry_.id_of(d.device)), slot.name,
                         a.number, wall_});
    append_record(records, RecordType::intent, static_cast<uint16_t>(id.vshard()), body_buffer_);
    names.push_back(book_.attempts().name_of(aix));
  }
  const auto count = static_cast<uint32_t>(names.size());
  auto done = [this, no = slot.no, names](Fate fate, RecordRef) {
    post_([no, names, fate](Core& core) { core.on_intents(no, names, fate); });
  };
  if (!parts_.ledger.submit(std::move(records), count, std::move(done))) on_intents(slot.no, names, Fate::failed);
}

void Core::on_intents(ChannelNo channel, const std::vector<uint64_t>& attempts, Fate fate) {
  ChannelSlot& slot = slots_[channel];
  for (const uint64_t name : attempts) {
    const AttemptIx aix = book_.attempts().find(name);
    if (aix == kNone) continue;
    Attempt& a = book_.attempt(aix);
    a.phase = Attempt::Phase::queued;
    const DeliveryIx dix = a.delivery;
    if (dix == kNone) {
      book_.remove_dropped(aix);
    } else if (book_.delivery(dix).final) {
      book_.drop_queued(book_.delivery(dix));
      book_.remove_dropped(aix);
    } else if (fate == Fate::ok) {
      a.costly = true;
      slot.queue.push_front(aix, book_.message(book_.delivery(dix).message).message->priority);
    } else {
      // The journal could not say that we are about to spend money: then we do not.
      book_.drop_queued(book_.delivery(dix));
      book_.remove_dropped(aix);
      park(dix);
    }
  }
}

}  // namespace godwit::engine
