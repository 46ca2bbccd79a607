// Reopening: from what the records tell of a message to the message itself.
#include <algorithm>

#include "broker/engine/recovery.hpp"

namespace godwit::engine {
namespace {

// Long enough for receipts that came while we were away to be delivered again.
constexpr MonoNs kSilenceAfterRestart = 10 * kNsPerSecond;

}  // namespace

void Recovery::reopen(Found& found) {
  const bool fanout = planner::is_fanout(found.message);
  auto message = std::make_shared<Message>(std::move(found.message));
  const MessageIx ix = core_.open_message(message, found.position);
  MessageEntry& m = core_.book_.message(ix);
  if (!found.planned && !found.cursor && !found.cancelled && found.deliveries.empty()) return core_.plan(ix);
  if (found.cancelled && !found.planned && !found.cursor) {  // it was cancelled before its time came
    core_.cancel_now(ix);
    return;
  }
  if (fanout) return reopen_fanout(ix, found);

  planner::Recipients recipients;
  planner::expand(*message, core_.registry_, recipients);
  for (const DeviceNo device : recipients.devices) {
    const auto it = found.deliveries.find(core_.registry_.id_of(device));
    if (it != found.deliveries.end()) {
      restore_delivery(ix, device, it->second, found);
      found.deliveries.erase(it);
    } else if (!found.cancelled) {
      core_.add_delivery(ix, device);
    }
  }
  for (const uint32_t name : recipients.nobody) {
    const auto it = found.deliveries.find('\0' + message->to.names[name]);
    if (it == found.deliveries.end()) {
      if (!found.cancelled) core_.add_nobody(ix, name);
      continue;
    }
    const DeliveryIx dix = core_.begin_delivery(ix);
    core_.book_.delivery(dix).name = name;
    core_.book_.delivery(dix).bare_token = message->to.kind == AudienceKind::token;
    restore_attempts(dix, it->second);
    resume(dix, found.costly_unclear(it->second));
    found.deliveries.erase(it);
  }
  // Devices that belong to somebody else by now, or are gone: what they have had still counts.
  for (const auto& [id, progress] : found.deliveries)
    restore_delivery(ix, core_.registry_.find(message->app, id), progress, found);
  m.planned = true;
  if (found.cancelled) core_.cancel_now(ix);
  core_.complete_if_done(ix);
}

// Devices below the base are as listed or have ended; between base and cursor those without a record were planned and
// had not gone out; beyond the cursor some may have.
void Recovery::reopen_fanout(MessageIx ix, Found& found) {
  MessageEntry& m = core_.book_.message(ix);
  m.fanout = std::make_unique<FanOut>();
  FanOut& f = *m.fanout;
  if (found.cursor) {
    f.next = static_cast<DeviceNo>(found.cursor->next);
    f.planned = f.cursor_at = found.cursor->planned;
    f.done = found.cursor->done;
  }
  if (found.dropped.size() == 9) {
    m.dropped = std::make_unique<std::array<uint64_t, 9>>();
    for (size_t s = 0; s < 9; ++s) {
      (*m.dropped)[s] = found.dropped[s];
      count(m.counts, static_cast<DeliveryState>(s), found.dropped[s]);
    }
  }
  const auto message = m.message;
  for (auto& [id, progress] : found.deliveries) {
    const DeviceNo device = core_.registry_.find(message->app, id);
    restore_delivery(ix, device, progress, found);
    if (device != kNoDevice) f.skip.insert(device);
  }
  if (!found.cancelled) {
    DeviceNo from = found.base;
    while ((from = planner::next_of_fanout(*message, core_.registry_, from)) != kNoDevice && from < f.next) {
      const DeviceNo device = from++;
      if (!f.skip.contains(device)) core_.add_delivery(ix, device);
    }
  }
  m.planned = true;  // not earlier: it would be complete as soon as the first restored delivery is final
  if (found.cancelled) core_.cancel_now(ix);
  if (!f.done) core_.fanouts_.push_back(ix);
  core_.complete_if_done(ix);
}

void Recovery::restore_delivery(MessageIx ix, DeviceNo device, const records::Progress& progress, const Found& found) {
  const DeliveryIx dix = core_.begin_delivery(ix);
  if (device != kNoDevice) core_.book_.address(dix, device, core_.wall_);
  restore_attempts(dix, progress);
  resume(dix, found.costly_unclear(progress));
}

// Our own connections can be tried again: a device may be there now.
uint32_t Recovery::presence_mask() const {
  uint32_t mask = 0;
  for (const ChannelSlot& slot : core_.slots_) mask |= slot.caps.presence ? slot.bit() : 0;
  return mask;
}

ChannelNo Recovery::channel_of(std::string_view name) const {
  for (const ChannelSlot& slot : core_.slots_)
    if (slot.name == name) return slot.no;
  return kAppItself;
}

void Recovery::restore_attempts(DeliveryIx dix, const records::Progress& p) {
  Delivery& d = core_.book_.delivery(dix);
  const MessageEntry& m = core_.book_.message(d.message);
  d.planned = m.since(p.planned_ms);
  for (const records::Attempt& r : p.attempts) {
    const ChannelNo channel = channel_of(r.channel);
    if (channel == kAppItself) continue;                                    // no longer configured
    const AttemptIx aix = core_.book_.add_attempt(dix, channel, r.number);  // without a memo for the router
    Attempt& a = core_.book_.attempt(aix);
    a.phase = Attempt::Phase::settled;
    a.result = r.result <= static_cast<uint8_t>(Disposition::expired) ? static_cast<Disposition>(r.result)
                                                                      : Disposition::unknown;
    a.costly = core_.slots_[channel].caps.metered;
    a.started = m.since(r.started_ms);
    a.settled = m.since(r.settled_ms);
    a.choice.reason =
        static_cast<routing::Reason>(std::min<uint8_t>(r.why, static_cast<uint8_t>(routing::Reason::used_up)));
    a.choice.p = r.p;
    a.words = core_.words_.keep(r.vendor_id, r.vendor_code, r.vendor_detail, r.http_status);
    const auto verdict = dispatch::verdict_of(a.result);
    if (a.words && !a.words->id.empty() && verdict.may_have_arrived) core_.remember_vendor_id(aix);
    if (!verdict.may_have_arrived && verdict.step != dispatch::Step::try_again &&
        verdict.step != dispatch::Step::hold && verdict.step != dispatch::Step::withdrawn &&
        !core_.slots_[channel].caps.presence)
      d.closed_channels |= core_.slots_[channel].bit();
  }
  for (const records::Receipt& r : p.receipts) {
    const ChannelNo channel = r.channel.empty() ? kAppItself : channel_of(r.channel);
    core_.book_.add_receipt(d, {r.event, r.source, channel, kNone, r.at_ms});
    d.events |= static_cast<uint8_t>(1u << static_cast<unsigned>(r.event));
  }
  const DeliveryState came_to = reached(p);
  const auto reason = static_cast<Reason>(std::min<uint8_t>(p.reason, kReasons - 1));
  if (is_recall(reason)) d.reason = reason;
  // A failed delivery was attempted all the same.
  if (d.first_attempt != kNone) core_.reach(dix, DeliveryState::attempted);
  if (came_to <= DeliveryState::opened)
    core_.reach(dix, came_to);
  else
    core_.finish(dix, came_to, reason);
  if (p.final && !d.final) core_.finish(dix, came_to, Reason::none);  // sent, and nothing more
  if (d.final && p.final_ms != 0) d.ended = m.since(p.final_ms);
  d.outcome_due = false;  // the journal has said all this
}

// The rest of an open delivery's life.
void Recovery::resume(DeliveryIx dix, bool costly_unclear) {
  Delivery& d = core_.book_.delivery(dix);
  if (d.final) return;
  const MessageEntry& m = core_.book_.message(d.message);
  for (AttemptIx i = d.first_attempt; i != kNone; i = core_.book_.attempt(i).next)
    costly_unclear |= core_.book_.attempt(i).costly && core_.book_.attempt(i).result == Disposition::unknown;
  if (costly_unclear && d.state < DeliveryState::sent) {
    core_.reach(dix, DeliveryState::attempted);
    d.cascade_over = true;
    d.reason = Reason::outcome_unknown;
    return core_.arm(dix, Wake::none, m.expires_ns);
  }
  if (d.state == DeliveryState::sent) {
    if (core_.now_ >= m.expires_ns) return core_.expire(dix);
    // Silence is counted anew, and only channels that were not used yet come into question.
    uint32_t used = 0;
    for (AttemptIx i = d.first_attempt; i != kNone; i = core_.book_.attempt(i).next)
      used |= core_.slots_[core_.book_.attempt(i).channel].bit();
    const uint32_t others = d.device == kNoDevice ? 0 : m.channel_mask & core_.device_channels_[d.device] & ~used;
    if (others == 0 || m.cancelled || m.message->routing == RoutingMode::all) return core_.end_cascade(dix, {});
    d.closed_channels |= used & ~presence_mask();
    return core_.arm(dix, Wake::silence, core_.now_ + kSilenceAfterRestart);
  }
  if (m.cancelled) return;
  core_.route(dix);
}

}  // namespace godwit::engine
