// The cascade: which channel carries a delivery first, when silence has lasted long enough, and what comes next.
// The router decides; here stands what is put before it and what follows from its word.
#include <algorithm>

#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr int64_t kLongestLook = 30'000;                              // ms between two looks at a parked delivery
constexpr int64_t kFirstRecovery = 15'000, kSecondRecovery = 60'000;  // ms, after the quick tries were used up

bool can_pass(routing::Sleep why) {
  using routing::Sleep;
  return why == Sleep::disabled || why == Sleep::draining || why == Sleep::held || why == Sleep::down ||
         why == Sleep::quota || why == Sleep::breaker_open;
}

MonoNs seconds(double s) {
  return static_cast<MonoNs>(s * static_cast<double>(kNsPerSecond));
}

// A receipt is still missed, and that says something about the channel.
bool silence_counts(const Attempt& a) {
  if (a.silence_told || a.memo.channel == routing::kNoChannel) return false;
  return a.phase != Attempt::Phase::settled || dispatch::verdict_of(a.result).may_have_arrived;
}

}  // namespace

routing::Sleep Core::sleep_of(const MessageEntry& m, const Delivery& d, const ChannelSlot& slot) const {
  using routing::Sleep;
  const Message& said = *m.message;
  const bool is_online = slot.caps.presence && d.device != kNoDevice && slot.is_online(d.device);
  if (d.bare_token) {
    if (slot.name != said.to.channel) return Sleep::no_token;
  } else if (d.device == kNoDevice || (!(device_channels_[d.device] & slot.bit()) && !is_online)) {
    return Sleep::no_token;  // who holds our connection is reachable there, registered for it or not
  }
  if (said.silent && !slot.caps.silent) return Sleep::unsupported;
  if (slot.caps.max_payload_bytes != 0 && said.content.size() > slot.caps.max_payload_bytes) return Sleep::unsupported;
  if (slot.sleep != Sleep::awake) return slot.sleep;
  if (slot.caps.presence && !d.bare_token && slot.is_absent(d.device)) return Sleep::offline;
  return Sleep::awake;
}

void Core::gather_offers(const MessageEntry& m, const Delivery& d, Offers& out) const {
  const auto offer = [&](const ChannelSlot& slot) {
    if (!(m.channel_mask & slot.bit()) || (d.closed_channels & slot.bit())) return;
    if (d.worn_channels & slot.bit()) {
      out.may_wake = true;
      return;
    }
    const routing::Sleep why = sleep_of(m, d, slot);
    out.list[out.size++] = {slot.route, why};
    if (why == routing::Sleep::awake)
      out.awake |= slot.bit();
    else if (why == routing::Sleep::offline)
      out.offline = true;
    else if (can_pass(why))
      out.may_wake = true;
  };
  if (m.message->routing == RoutingMode::ordered && !m.message->channels.empty()) {
    uint32_t offered = 0;
    for (const std::string& name : m.message->channels)
      for (const ChannelSlot& slot : slots_)
        if (slot.name == name && !(offered & slot.bit())) {
          offered |= slot.bit();
          offer(slot);
        }
    return;
  }
  for (const ChannelNo no : apps_[m.app].channels) offer(slots_[no]);
}

// The router is told of the sends that may still arrive. What was surely refused is no longer offered instead.
routing::Ask Core::ask_of(const MessageEntry& m, const Delivery& d) {
  memos_.clear();
  bool costly_unclear = false;
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    const Attempt& a = book_.attempt(i);
    if (a.phase == Attempt::Phase::queued || a.phase == Attempt::Phase::intent) continue;
    costly_unclear |= a.costly && a.phase == Attempt::Phase::settled && a.result == Disposition::unknown;
    if (a.memo.channel == routing::kNoChannel) continue;  // from before a restart
    if (a.phase == Attempt::Phase::in_flight || dispatch::verdict_of(a.result).may_have_arrived)
      memos_.push_back(a.memo);
  }
  routing::Ask ask;
  ask.device = d.device;
  ask.priority = static_cast<routing::PriorityClass>(m.message->priority);
  ask.mode = m.message->routing == RoutingMode::ordered ? routing::Mode::ordered
             : m.message->routing == RoutingMode::all   ? routing::Mode::all
                                                        : routing::Mode::best;
  ask.attempts = memos_;
  ask.age_s = static_cast<double>(wall_ - m.message->deliver_at_ms) / 1000;
  ask.left_s = static_cast<double>(m.expires_ns - now_) / kNsPerSecond;
  ask.allow_costly = !costly_unclear;
  return ask;
}

routing::Decision Core::decide(DeliveryIx dix, const Offers& offers) {
  const Delivery& d = book_.delivery(dix);
  const MessageEntry& m = book_.message(d.message);
  if (d.device == kNoDevice) {  // a bare token: nothing to choose and nobody to learn about
    routing::Decision only;
    bool may_have_arrived = false;
    for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next)
      may_have_arrived |= book_.attempt(i).phase == Attempt::Phase::in_flight ||
                          dispatch::verdict_of(book_.attempt(i).result).may_have_arrived;
    if (may_have_arrived) only.reason = routing::Reason::used_up;
    for (size_t i = 0; i < offers.size && !may_have_arrived; ++i) {
      if (offers.list[i].sleep != routing::Sleep::awake) continue;
      only.action = routing::Action::send;
      only.reason = routing::Reason::only_one;
      only.channel = offers.list[i].channel;
    }
    return only;
  }
  routing::Ask ask = ask_of(m, d);
  ask.offers = {offers.list.data(), offers.size};
  return ask.attempts.empty() ? router_.first(ask, now_) : router_.next(ask, now_);
}

void Core::route(DeliveryIx dix) {
  Delivery& d = book_.delivery(dix);
  const MessageEntry& m = book_.message(d.message);
  if (d.final) return;
  if (now_ >= m.expires_ns) return expire(dix);
  Offers offers;
  gather_offers(m, d, offers);
  if (m.message->routing == RoutingMode::all && d.attempts == 0 && offers.awake != 0)
    return send_everywhere(dix, offers);
  const routing::Decision decision = decide(dix, offers);
  switch (decision.action) {
    case routing::Action::send:
      return enqueue(dix, by_route_[decision.channel], choice_of(decision, offers), 0);
    case routing::Action::wait:
      return arm(dix, Wake::silence, now_ + seconds(decision.wait_s));
    case routing::Action::stop:
      // Awake for us, but asleep for the router: a circuit breaker is open or a quota used up. Both pass.
      if (decision.reason == routing::Reason::nothing_awake && offers.awake != 0) offers.may_wake = true;
      return end_cascade(dix, offers);
  }
}

void Core::send_everywhere(DeliveryIx dix, const Offers& offers) {
  for (const ChannelSlot& slot : slots_) {
    if (!(offers.awake & slot.bit())) continue;
    Choice choice;
    choice.reason = routing::Reason::ordered;
    enqueue(dix, slot.no, choice, 0);
  }
}

// No further channel for now. What that means depends on what has gone out already.
void Core::end_cascade(DeliveryIx dix, const Offers& offers) {
  Delivery& d = book_.delivery(dix);
  const MessageEntry& m = book_.message(d.message);
  if (d.live > 0) return arm(dix, Wake::none, m.expires_ns);  // the settlement will say
  leave_fanout_window(dix);
  bool reports = false, unclear = false, costly_unclear = false;
  Reason refusal = Reason::no_channel;
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    const Attempt& a = book_.attempt(i);
    const auto verdict = dispatch::verdict_of(a.result);
    if (verdict.step == dispatch::Step::sent) reports |= slots_[a.channel].reports();
    if (verdict.step == dispatch::Step::unclear) {
      unclear = true;
      costly_unclear |= a.costly;
    }
    refusal = verdict.drops_token                    ? Reason::token_invalid
              : a.result == Disposition::rejected    ? Reason::refused
              : a.result == Disposition::config      ? Reason::config
              : a.result == Disposition::unreachable ? Reason::unreachable
                                                     : Reason::tries_used_up;
  }
  d.cascade_over = true;
  if (d.state == DeliveryState::sent) {
    d.waits_for_presence = may_wait_for_presence(m, d);
    // The last attempt's silence is told like the others', long before the receipt is given up: a rate that heard of
    // the arrivals only would be too good.
    if (const MonoNs at = next_silence(d); at != 0) return arm(dix, Wake::silence, at);
    if (d.waits_for_presence) return arm(dix, Wake::none, m.expires_ns);
    if (!reports) return finish(dix, DeliveryState::sent, Reason::none);
    return arm(dix, Wake::rest, now_ + options_.receipt_wait_ms * kNsPerMs);
  }
  if (unclear && may_wait_for_presence(m, d)) {  // its connection broke, and it has not come back yet
    d.cascade_over = false;
    d.waits_for_presence = true;
    return arm(dix, Wake::none, m.expires_ns);
  }
  if (const AttemptIx again = repeatable(d); again != kNone && !costly_unclear && !offers.may_wake) {
    d.cascade_over = false;
    return retry_or_next(dix, again);
  }
  // The vendor's report is waited for: for good after a call that would cost twice, else until the channel can be tried
  // again.
  if (costly_unclear || (unclear && !offers.may_wake)) {
    d.reason = Reason::outcome_unknown;
    return arm(dix, Wake::none, m.expires_ns);
  }
  d.cascade_over = false;
  if (offers.offline) d.waits_for_presence = true;
  if (offers.may_wake) return park(dix);
  if (offers.offline) return arm(dix, Wake::none, m.expires_ns);
  if (refusal == Reason::tries_used_up || refusal == Reason::config) stats_.final_system_failures.bump();
  finish(dix, DeliveryState::failed, refusal);
}

// Nothing can carry it now, but that will pass: it is looked at again after a while, and when a channel wakes up.
void Core::park(DeliveryIx dix) {
  Delivery& d = book_.delivery(dix);
  leave_fanout_window(dix);
  parked_.add(dix);
  int64_t wait_ms = std::min(kLongestLook, int64_t{1'000} << std::min<uint8_t>(d.looks, 5));
  // A channel that failed again and again gets time to recover, but not all that is left.
  if (d.worn_channels != 0 && repeatable(d) == kNone) {
    const int64_t left_ms = (book_.message(d.message).expires_ns - now_) / kNsPerMs;
    const AttemptIx last = book_.last_attempt(d);
    const bool again = last != kNone && failed_tries(d, book_.attempt(last).channel) > options_.max_tries;
    wait_ms = std::min(again ? kSecondRecovery : kFirstRecovery, std::max<int64_t>(left_ms / 2, 1'000));
  }
  d.looks = std::min<uint8_t>(d.looks + 1, kMostLooks);
  arm(dix, Wake::parked, now_ + wait_ms * kNsPerMs);
}

void Core::look_again(DeliveryIx dix) {
  const AttemptIx unclear = repeatable(book_.delivery(dix));
  return unclear != kNone ? retry_or_next(dix, unclear) : route(dix);
}

void Core::unpark_all() {
  parked_.wake_all();
  more_ |= parked_.any_due();
}

// ---- Silence

void Core::tell_silence(Delivery& d, bool at_once) {
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    Attempt& a = book_.attempt(i);
    if (!silence_counts(a)) continue;
    if (!at_once && now_ - a.memo.sent_ns < seconds(router_.soft_timeout_s(a.memo.channel))) continue;
    a.silence_told = true;
    router_.silent(a.memo, now_);
  }
}

// When the next silence of a channel that reports is to be told; 0: none is left.
MonoNs Core::next_silence(const Delivery& d) const {
  MonoNs next = 0;
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    const Attempt& a = book_.attempt(i);
    if (!silence_counts(a) || !slots_[a.channel].reports()) continue;
    const MonoNs at = a.memo.sent_ns + seconds(router_.soft_timeout_s(a.memo.channel));
    next = next == 0 ? at : std::min(next, at);
  }
  return next;
}

void Core::on_silence(DeliveryIx dix) {
  Delivery& d = book_.delivery(dix);
  tell_silence(d);
  if (d.cancel_wished || d.cascade_over) return end_cascade(dix, {});
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    if (book_.attempt(i).phase == Attempt::Phase::intent) return arm(dix, Wake::silence, now_ + kQueuePatience);
    if (book_.attempt(i).phase == Attempt::Phase::queued) return on_impatience(dix, book_.attempt(i).channel);
  }
  if (book_.message(d.message).message->routing == RoutingMode::all) return end_cascade(dix, {});
  route(dix);
}

// It has waited long in the queue of `channel`: if another channel can take it now, it goes there.
void Core::on_impatience(DeliveryIx dix, ChannelNo channel) {
  Delivery& d = book_.delivery(dix);
  const MessageEntry& m = book_.message(d.message);
  const uint32_t closed = d.closed_channels;
  d.closed_channels |= slots_[channel].bit();
  Offers offers;
  gather_offers(m, d, offers);
  d.closed_channels = closed;
  if (offers.awake != 0 && m.message->routing != RoutingMode::all) {
    const routing::Decision decision = decide(dix, offers);
    if (decision.action == routing::Action::send) {
      book_.drop_queued(d);
      return enqueue(dix, by_route_[decision.channel], choice_of(decision, offers), 0);
    }
  }
  arm(dix, Wake::silence, now_ + kQueuePatience);
}

Choice Core::choice_of(const routing::Decision& decision, const Offers& offers) const {
  Choice c;
  c.reason = decision.reason;
  c.p = decision.p;
  c.utility = static_cast<float>(decision.utility);
  c.propensity = decision.propensity;
  c.reach = decision.reach;
  c.next_check_s = static_cast<float>(decision.next_check_s);
  size_t n = 0;
  for (const routing::Decision::Other& other : decision.others)
    if (other.channel < by_route_.size() && n < c.considered.size())
      c.considered[n++] = {by_route_[other.channel], routing::Sleep::awake, static_cast<uint16_t>(other.p * 10'000)};
  for (size_t i = 0; i < offers.size && n < c.considered.size(); ++i)
    if (offers.list[i].sleep != routing::Sleep::awake)
      c.considered[n++] = {by_route_[offers.list[i].channel], offers.list[i].sleep, 0};
  return c;
}

}  // namespace godwit::engine
