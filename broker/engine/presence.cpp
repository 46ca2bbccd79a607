// Presence: which devices hold our own long connection now, and what is sent to them when they come.
#include <algorithm>

#include "broker/dispatch/parcel.hpp"
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr uint32_t kOffline = 0;  // subkind of a presence event; 1 online, 2 away (still connected)

}  // namespace

// The device behind an address of this channel. Events do not say which app they belong to, so a registration token is
// looked for in every app that uses the channel.
DeviceNo Core::device_at(const ChannelSlot& slot, const std::string& address) const {
  const auto [app, id] = dispatch::split_address(address);
  if (!app.empty()) {
    const DeviceNo device = registry_.find(app, id);
    if (device != kNoDevice) return device;
  }
  for (const App& candidate : apps_) {
    if (!(candidate.mask & slot.bit())) continue;
    const DeviceNo device = registry_.find_token(candidate.id, slot.name, address);
    if (device != kNoDevice) return device;
  }
  return kNoDevice;
}

void Core::on_presence(const ChannelEvent& e) {
  ChannelSlot& slot = slots_[e.channel];
  const DeviceNo device = device_at(slot, e.address);
  if (device == kNoDevice) return;
  const bool is_online = e.subkind != kOffline;
  const MonoNs away_since = slot.presence.away_since(device);
  if (!slot.presence.hear(device, e.seq, is_online, now_)) return;
  slot.stats.connections.set(slot.presence.online());
  if (!is_online) return;
  router_.alive(device, now_);
  send_waiting(device, slot, away_since);
}

void Core::on_presence_reset(ChannelNo channel) {
  slots_[channel].presence.forget_all();
  slots_[channel].stats.connections.set(0);
}

// A send has found out before the event came.
void Core::gone_offline(DeviceNo device, ChannelSlot& slot, MonoNs sent_at) {
  if (slot.is_absent(device)) return;
  slot.presence.missed(device, sent_at, now_);
  slot.stats.connections.set(slot.presence.online());
}

// Another token is another address behind the server: what was said of the old one does not hold.
void Core::forget_presence(DeviceNo device) {
  for (ChannelSlot& slot : slots_) {
    if (!slot.caps.presence || slot.caps.owns_listener) continue;
    slot.presence.forget(device);
    slot.stats.connections.set(slot.presence.online());
  }
}

bool Core::may_wait_for_presence(const MessageEntry& m, const Delivery& d) const {
  if (d.device == kNoDevice || d.cancel_wished || d.superseded) return false;
  return std::any_of(slots_.begin(), slots_.end(), [&](const ChannelSlot& slot) {
    return slot.caps.presence && (m.channel_mask & slot.bit()) && !(d.closed_channels & slot.bit()) &&
           sleep_of(m, d, slot) == routing::Sleep::offline;
  });
}

// The server took it for a device that went away without a word about it, though it confirms others: its connection was
// dead already, and the server had nothing to keep it in. It comes again under the same id, which the device shows
// once.
bool Core::missed(const Delivery& d, const ChannelSlot& slot, MonoNs away_since) const {
  if (d.state != DeliveryState::sent || d.superseded || d.cancel_wished) return false;
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    const Attempt& a = book_.attempt(i);
    if (a.channel == slot.no && a.phase == Attempt::Phase::settled && a.memo.sent_ns < away_since &&
        dispatch::verdict_of(a.result).may_have_arrived)
      return true;
  }
  return false;
}

// The device is here: what waited for it goes out at once, urgent things first. `away_since` 0: nothing was missed.
void Core::send_waiting(DeviceNo device, ChannelSlot& slot, MonoNs away_since) {
  std::vector<DeliveryIx> waiting;
  for (DeliveryIx i = book_.newest_of(device); i != kNone; i = book_.delivery(i).device_next) {
    const Delivery& d = book_.delivery(i);
    const MessageEntry& m = book_.message(d.message);
    if (!d.final && d.live == 0 && (d.waits_for_presence || d.wake == Wake::parked || missed(d, slot, away_since)) &&
        now_ < m.expires_ns && (m.channel_mask & slot.bit()) && sleep_of(m, d, slot) == routing::Sleep::awake)
      waiting.push_back(i);
  }
  std::sort(waiting.begin(), waiting.end(), [this](DeliveryIx a, DeliveryIx b) {
    const Delivery &x = book_.delivery(a), &y = book_.delivery(b);
    const auto px = book_.message(x.message).message->priority, py = book_.message(y.message).message->priority;
    return px != py ? px < py : x.inbox_seq < y.inbox_seq;
  });
  for (const DeliveryIx dix : waiting) {
    Delivery& d = book_.delivery(dix);
    Offers only;
    only.list[only.size++] = {slot.route, routing::Sleep::awake};
    only.awake = slot.bit();
    routing::Decision decision = decide(dix, only);
    if (decision.action != routing::Action::send) {
      // The router would rather not (a silent vendor may have got it there already), but a device that comes back is
      // owed what it missed; it shows each message once.
      decision = {};
      decision.channel = slot.route;
      decision.reason = routing::Reason::fallback;
    }
    d.cascade_over = false;
    enqueue(dix, slot.no, choice_of(decision, only), 0);
  }
}

}  // namespace godwit::engine
