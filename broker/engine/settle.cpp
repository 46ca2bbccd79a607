// Settling: what each disposition does to its delivery (plugin-abi.md §8; the table is dispatch/verdict.hpp).
#include <algorithm>

#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr unsigned kMostTries = 5;       // on one channel for one delivery, recovery included (poison messages)
constexpr int64_t kShortHold = 2'000;    // ms that a message rather waits than moves to another channel
constexpr int64_t kUnnamedHold = 1'000;  // ms, when the vendor does not say for how long

}  // namespace

void Core::on_settled(const std::vector<Settlement>& settlements) {
  for (const Settlement& s : settlements) {
    const uint32_t fix = flights_.find(s.cookie);
    if (fix == kNone) continue;  // settled before: the host has counted it
    Flight& flight = flights_[fix];
    if (s.target >= flight.parcel->targets.size()) continue;  // there is no such target
    AttemptIx& place = flight.many.empty() ? flight.single : flight.many[s.target];
    const AttemptIx aix = std::exchange(place, kNone);
    if (aix == kNone) continue;
    const std::shared_ptr<const Parcel> parcel = flight.parcel;  // settling may send, and so reuse the flight
    if (--flight.open == 0) flights_.remove(fix);
    settle(aix, s, parcel->targets[s.target]);
  }
  for (const ChannelEvent& e : std::exchange(arrived_early_, {})) on_receipt(e);
}

void Core::settle(AttemptIx aix, const Settlement& s, const ParcelTarget& target) {
  Attempt& a = book_.attempt(aix);
  const DeliveryIx dix = a.delivery;
  Delivery& d = book_.delivery(dix);
  ChannelSlot& slot = slots_[a.channel];
  const dispatch::Verdict verdict = dispatch::verdict_of(s.disposition);
  a.phase = Attempt::Phase::settled;
  a.result = s.disposition;
  a.settled = book_.message(d.message).since(wall_);
  a.flight = kNone;
  a.words = words_.keep(s.vendor_id, s.vendor_code, s.detail, s.http_status);
  if (verdict.may_have_arrived && slot.reports() && !s.vendor_id.empty()) remember_vendor_id(aix);
  --d.live;
  --slot.in_flight;
  slot.stats.attempts[std::min(static_cast<size_t>(s.disposition), EngineStats::kDispositions - 1)].bump();
  learn(a, verdict);
  if (verdict.drops_token && d.device != kNoDevice)
    registry_writer_.fact(registry_record::token_dead(book_.message(d.message).message->app, device_id(d.device),
                                                      slot.name, target.address, s.dead_since_ms, wall_));
  outcome_due(dix);

  if (d.cancel_wished && may_recall(d)) {  // the cancel came while the channel had it
    std::vector<AttemptIx> wishes;
    note_recall(dix, wishes);
    queue_recalls(wishes);
  }

  using dispatch::Step;
  if (verdict.step == Step::sent) return on_sent(dix, aix);
  if (verdict.step == Step::delivered) {
    if (d.state < DeliveryState::sent) reach(dix, DeliveryState::sent);
    const auto source = slot.caps.vendor_receipts_are_device ? ReceiptSource::device : ReceiptSource::vendor;
    hear(dix, aix, {ReceiptEvent::delivered, source, slot.no, kNone, wall_});
    return;
  }
  if (d.final) return;
  if (verdict.step == Step::hold) hold_channel(slot, s.retry_after_ms);
  if (verdict.step == Step::refuse) close_alike(d, slot);
  if (verdict.step == Step::next_channel) {
    if (slot.caps.presence && s.disposition == Disposition::unreachable && d.device != kNoDevice)
      gone_offline(d.device, slot, a.memo.sent_ns);
    else
      d.closed_channels |= slot.bit();
  }
  if (d.cancel_wished) return on_withdrawn(dix, aix);
  if (now_ >= book_.message(d.message).expires_ns) return expire(dix);
  if (d.live > 0) return;  // another attempt is out: its settlement decides
  if (d.superseded)
    return d.state < DeliveryState::sent ? finish(dix, DeliveryState::suppressed, Reason::collapsed)
                                         : end_cascade(dix, {});
  switch (verdict.step) {
    case Step::try_again:
      return retry_or_next(dix, aix);
    case Step::unclear:
      return a.costly ? route(dix) : retry_or_next(dix, aix);
    case Step::hold:
      if (s.retry_after_ms <= kShortHold) {
        const Choice choice = a.choice;
        return enqueue(dix, slot.no, choice, d.failures);
      }
      return route(dix);
    case Step::withdrawn:
      return on_withdrawn(dix, aix);
    case Step::too_late:
      return d.state < DeliveryState::sent ? finish(dix, DeliveryState::expired, Reason::ttl) : end_cascade(dix, {});
    default:
      return route(dix);
  }
}

void Core::learn(Attempt& a, const dispatch::Verdict& verdict) {
  using dispatch::Step;
  if (verdict.step == Step::sent || verdict.step == Step::delivered) slots_[a.channel].tokens.success();
  if (a.memo.channel == routing::kNoChannel) return;
  if (verdict.step == Step::sent || verdict.step == Step::delivered)
    router_.accepted(a.memo, now_);
  else if (verdict.drops_token)
    router_.token_invalid(a.memo, now_);
  else if (verdict.step != Step::unclear)  // whether it arrived is told by a receipt or by silence
    router_.rejected(a.memo, verdict.channels_fault, now_);
}

void Core::on_sent(DeliveryIx dix, AttemptIx aix) {
  reach(dix, DeliveryState::sent);
  Delivery& d = book_.delivery(dix);
  if (d.final) return;
  const MessageEntry& m = book_.message(d.message);
  leave_fanout_window(dix);
  if (d.cancel_wished) return end_cascade(dix, {});
  if (now_ >= m.expires_ns) return finish(dix, DeliveryState::sent, Reason::none);
  if (m.message->routing == RoutingMode::all) {
    if (d.live == 0) end_cascade(dix, {});
    return;
  }
  // A channel that tells nothing and has no neighbour: there is nothing to wait for.
  const ChannelSlot& slot = slots_[book_.attempt(aix).channel];
  const uint32_t others =
      d.device == kNoDevice ? 0 : m.channel_mask & device_channels_[d.device] & ~slot.bit() & ~d.closed_channels;
  if (d.live == 0 && others == 0 && !slot.reports()) end_cascade(dix, {});
}

void Core::on_withdrawn(DeliveryIx dix, AttemptIx aix) {
  Delivery& d = book_.delivery(dix);
  if (d.cancel_wished) {
    if (d.live > 0) return;
    return d.state < DeliveryState::sent ? finish(dix, DeliveryState::cancelled, Reason::cancelled)
                                         : end_cascade(dix, {});
  }
  // Nobody asked: the channel is being stopped. Another one takes over, or this one when it is back.
  d.worn_channels |= slots_[book_.attempt(aix).channel].bit();
  route(dix);
}

// A temporary failure: this channel again after a back-off, as long as tries, tokens and time allow; then the next one.
void Core::retry_or_next(DeliveryIx dix, AttemptIx aix) {
  Delivery& d = book_.delivery(dix);
  const MessageEntry& m = book_.message(d.message);
  ChannelSlot& slot = slots_[book_.attempt(aix).channel];
  const unsigned tries = failed_tries(d, slot.no);
  if (tries < options_.max_tries) {
    const int64_t wait_ms = dispatch::backoff_ms(tries - 1, options_.backoff_base_ms, options_.backoff_cap_ms, random_);
    if (now_ + wait_ms * kNsPerMs < m.expires_ns && slot.tokens.take(now_)) {
      stats_.retries.bump();
      d.retry_channel = slot.no;
      d.failures = static_cast<uint8_t>(tries);
      return arm(dix, Wake::retry, now_ + wait_ms * kNsPerMs);
    }
    stats_.retries_refused.bump();
  }
  if (tries >= kMostTries)
    d.closed_channels |= slot.bit();
  else
    d.worn_channels |= slot.bit();
  route(dix);
}

unsigned Core::failed_tries(const Delivery& d, ChannelNo channel) const {
  unsigned tries = 0;
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    const Attempt& a = book_.attempt(i);
    tries += a.channel == channel && (a.result == Disposition::retry || a.result == Disposition::unknown);
  }
  return tries;
}

// The last attempt, if nobody knows whether it arrived and its channel may be asked again now: when it failed there was
// no retry token, or the channel was not back yet. kNone: none.
AttemptIx Core::repeatable(const Delivery& d) const {
  const AttemptIx last = book_.last_attempt(d);
  if (last == kNone || d.live > 0 || d.cancel_wished || d.superseded) return kNone;
  const Attempt& a = book_.attempt(last);
  const ChannelSlot& slot = slots_[a.channel];
  const bool may = a.result == Disposition::unknown && !a.costly && (d.closed_channels & slot.bit()) == 0 &&
                   failed_tries(d, a.channel) < options_.max_tries &&
                   sleep_of(book_.message(d.message), d, slot) == routing::Sleep::awake;
  return may ? last : kNone;
}

// The message itself was refused: channels of the same make would say the same.
void Core::close_alike(Delivery& d, const ChannelSlot& refused) {
  for (const ChannelSlot& other : slots_)
    if (other.no == refused.no ||
        (other.plugin == refused.plugin && other.caps.max_payload_bytes == refused.caps.max_payload_bytes))
      d.closed_channels |= other.bit();
}

void Core::hold_channel(ChannelSlot& slot, int64_t retry_after_ms) {
  const int64_t wait_ms = retry_after_ms > 0 ? retry_after_ms : kUnnamedHold;
  slot.held_until_ns = std::max(slot.held_until_ns, now_ + wait_ms * kNsPerMs);
  refresh_channel(slot);
}

}  // namespace godwit::engine
