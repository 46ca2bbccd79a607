// A delivery's life: its states only go forwards, each step is counted once, the end is final.
#include <algorithm>

#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr MonoNs kSettlePatience = 2 * kNsPerSecond;  // after the end, for what is still with a channel

bool on_path(DeliveryState s) {
  return s <= DeliveryState::opened;
}

}  // namespace

// Everything up to `state` counts as reached: who has been delivered to was also sent to.
void Core::reach(DeliveryIx dix, DeliveryState state) {
  Delivery& d = book_.delivery(dix);
  if (!on_path(d.state) || state <= d.state) return;
  MessageEntry& m = book_.message(d.message);
  EngineStats::App& app = *apps_[m.app].stats;
  for (auto s = static_cast<size_t>(d.state) + 1; s <= static_cast<size_t>(state); ++s) {
    if (!recovering_) app.states[s].bump();
    switch (static_cast<DeliveryState>(s)) {
      case DeliveryState::attempted:
        ++m.counts.attempted;
        break;
      case DeliveryState::sent:
        ++m.counts.sent;
        break;
      case DeliveryState::delivered:
        ++m.counts.delivered;
        break;
      case DeliveryState::opened:
        ++m.counts.opened;
        break;
      default:
        break;
    }
  }
  d.state = state;
  if (state == DeliveryState::sent) leave_fanout_window(dix);
  if (life_feed_.followed() && state != DeliveryState::attempted) {
    const AttemptIx last = book_.last_attempt(d);
    emit(m, &d, to_string(state), last == kNone ? kAppItself : book_.attempt(last).channel);
  }
  if (state >= DeliveryState::sent) outcome_due(dix);
  if (state >= DeliveryState::delivered && !d.final) finish(dix, state, Reason::none);
}

void Core::finish(DeliveryIx dix, DeliveryState state, Reason reason) {
  Delivery& d = book_.delivery(dix);
  if (d.final) return;
  MessageEntry& m = book_.message(d.message);
  book_.finish(dix);
  d.ended = m.since(wall_);
  if (reason != Reason::none || !is_recall(d.reason)) d.reason = reason;
  d.wake = Wake::none;
  d.waits_for_presence = false;
  d.parked_listed = false;
  timers_.cancel(d.timer);
  book_.drop_queued(d);
  // Another channel got it there: the silence of those before it is known now and would never be told later, so every
  // channel that loses to the next one would look better than it is. A late receipt takes it back.
  if ((state == DeliveryState::delivered || state == DeliveryState::opened) && !recovering_) tell_silence(d, true);
  leave_fanout_window(dix);
  log_decision(m, d);
  if (!on_path(state)) {
    d.state = state;
    if (!recovering_) apps_[m.app].stats->states[static_cast<size_t>(state)].bump();
    m.counts.suppressed += state == DeliveryState::suppressed;
    m.counts.failed += state == DeliveryState::failed;
    m.counts.expired += state == DeliveryState::expired;
    m.counts.cancelled += state == DeliveryState::cancelled;
    if (life_feed_.followed()) emit(m, &d, to_string(state), kAppItself, std::string(to_string(reason)));
  }
  if (d.state != DeliveryState::sent) book_.leave_inbox(d);  // sent without a receipt: still in the inbox
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next)
    if (book_.attempt(i).phase == Attempt::Phase::in_flight)
      channels_->cancel(book_.attempt(i).channel, flights_.name_of(book_.attempt(i).flight));
  outcome_due(dix);
  const MessageIx mix = d.message;
  if (m.fanout && !recovering_) drop_fanout_head(mix);  // may let go of this very delivery
  complete_if_done(mix);
}

// Its time is over. What went out keeps what it has reached.
void Core::expire(DeliveryIx dix) {
  Delivery& d = book_.delivery(dix);
  book_.drop_queued(d);
  if (d.state == DeliveryState::sent) return finish(dix, DeliveryState::sent, d.reason);
  if (d.live > 0) {  // the channel has it and will say soon
    d.cascade_over = true;
    timers_.cancel(d.timer);
    d.wake = Wake::none;
    d.timer = timers_.arm(now_ + kSettlePatience, timer_payload(TimerKind::delivery, dix));
    return;
  }
  finish(dix, DeliveryState::expired, d.reason == Reason::none ? Reason::ttl : d.reason);
}

void Core::complete_if_done(MessageIx ix) {
  const MessageEntry& m = book_.message(ix);
  if (!m.complete && m.planned && m.open == 0 && (!m.fanout || m.fanout->done)) book_.complete(ix);
}

// ---- Timers

void Core::arm(DeliveryIx dix, Wake wake, MonoNs at) {
  Delivery& d = book_.delivery(dix);
  if (d.final) return;
  d.wake = wake;
  timers_.cancel(d.timer);
  const MonoNs end = book_.message(d.message).expires_ns;
  d.timer = timers_.arm(std::max(std::min(at, end), now_), timer_payload(TimerKind::delivery, dix));
}

void Core::on_delivery_timer(DeliveryIx dix) {
  Delivery& d = book_.delivery(dix);
  d.timer = planner::TimerWheel::kNone;
  if (now_ >= book_.message(d.message).expires_ns) {
    tell_silence(d);
    return expire(dix);
  }
  const Wake wake = d.wake;
  d.wake = Wake::none;
  switch (wake) {
    case Wake::none:
      return arm(dix, Wake::none, book_.message(d.message).expires_ns);
    case Wake::silence:
      return on_silence(dix);
    case Wake::rest:
      tell_silence(d);
      return finish(dix, DeliveryState::sent, Reason::none);
    case Wake::parked:
      d.worn_channels = 0;
      return look_again(dix);
    case Wake::retry: {
      ChannelSlot& slot = slots_[d.retry_channel];
      if (sleep_of(book_.message(d.message), d, slot) != routing::Sleep::awake) return route(dix);
      Choice choice;
      if (const Attempt* before = book_.last_attempt_on(d, slot.no)) choice = before->choice;
      return enqueue(dix, slot.no, choice, d.failures);
    }
  }
}

// ---- The ledger's side: one OUTCOME for all that happened to a delivery in a turn

void Core::outcome_due(DeliveryIx dix) {
  Delivery& d = book_.delivery(dix);
  if (d.outcome_due) return;
  d.outcome_due = true;
  outcomes_.push_back(dix);
}

void Core::encode_outcomes() {
  for (const DeliveryIx dix : outcomes_) {
    if (!book_.deliveries().alive(dix)) continue;
    Delivery& d = book_.delivery(dix);
    if (!d.outcome_due) continue;
    d.outcome_due = false;
    const MessageEntry& m = book_.message(d.message);
    fill_progress(m, d, progress_);
    body_buffer_.clear();
    records::put_outcome(body_buffer_, m.message->id, progress_);
    append_record(record_buffer_, RecordType::outcome, static_cast<uint16_t>(m.message->id.vshard()), body_buffer_);
    ++record_count_;
  }
  outcomes_.clear();
}

void Core::fill_progress(const MessageEntry& m, const Delivery& d, records::Progress& out) const {
  out.device_id.clear();
  out.name.clear();
  if (d.device != kNoDevice)
    out.device_id = device_id(d.device);
  else if (d.name < m.message->to.names.size())
    out.name = m.message->to.names[d.name];
  out.state = d.state;
  out.final = d.final;
  out.reason = static_cast<uint8_t>(d.reason);
  out.planned_ms = m.at(d.planned);
  out.final_ms = d.final ? m.at(d.ended) : 0;
  out.attempts.clear();
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    const Attempt& a = book_.attempt(i);
    if (a.phase == Attempt::Phase::queued || a.phase == Attempt::Phase::intent) continue;
    records::Attempt& r = out.attempts.emplace_back();
    r.channel = slots_[a.channel].name;
    r.number = a.number;
    r.result = a.phase == Attempt::Phase::settled ? static_cast<uint8_t>(a.result) : records::kInFlight;
    r.started_ms = m.at(a.started);
    r.settled_ms = a.phase == Attempt::Phase::settled ? m.at(a.settled) : 0;
    r.why = static_cast<uint8_t>(a.choice.reason);
    r.p = a.choice.p;
    if (!a.words) continue;
    r.http_status = a.words->http_status;
    r.vendor_id = a.words->id;
    r.vendor_code = a.words->code;
    r.vendor_detail = a.words->detail;
  }
  out.receipts.clear();
  for (ReceiptIx i = d.receipts; i != kNone; i = book_.receipt(i).next) {
    const Receipt& r = book_.receipt(i);
    out.receipts.push_back(
        {r.event, r.source, r.channel == kAppItself ? std::string() : slots_[r.channel].name, r.at_ms});
  }
}

void Core::carry_message(const MessageEntry& m, std::string& body) const {
  records::Carry carry;
  carry.message = *m.message;
  carry.planned = m.planned;
  carry.cancelled = m.cancelled;
  if (m.fanout) {
    carry.fanout = records::Cursor{m.message->id, m.fanout->next, m.fanout->planned, m.fanout->done};
    carry.dropped.resize(9);
    if (m.dropped) std::copy(m.dropped->begin(), m.dropped->end(), carry.dropped.begin());
  }
  for (DeliveryIx i = m.first; i != kNone; i = book_.delivery(i).next) {
    const Delivery& d = book_.delivery(i);
    if (m.fanout && d.final) {
      ++carry.dropped[static_cast<size_t>(d.state)];  // counted, not named: they will not be planned again
      continue;
    }
    fill_progress(m, d, carry.deliveries.emplace_back());
  }
  records::put_carry(body, carry);
}

}  // namespace godwit::engine
