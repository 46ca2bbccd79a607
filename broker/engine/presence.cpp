// Presence: which devices hold our own long connection now, and what is sent to them when they come.
#include <algorithm>

#include "broker/dispatch/parcel.hpp"
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr uint32_t kOffline = 0;  // subkind of a presence event; 1 online, 2 away (still connected)

uint64_t presence_key(ChannelNo channel, DeviceNo device) {
  return (static_cast<uint64_t>(channel) << 32) | device;
}

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

bool Core::online(DeviceNo device, const ChannelSlot& slot) const {
  const auto it = presence_.find(presence_key(slot.no, device));
  return it != presence_.end() && it->second.online && it->second.epoch == slot.presence_epoch;
}

// Our own listener knows everybody who is there. A server in between tells of those whom it may tell of: who was never
// spoken of may well be there, so a send finds out.
bool Core::absent(DeviceNo device, const ChannelSlot& slot) const {
  const auto it = presence_.find(presence_key(slot.no, device));
  const bool was_spoken_of = it != presence_.end() && it->second.epoch == slot.presence_epoch;
  return was_spoken_of ? !it->second.online : slot.caps.owns_listener;
}

void Core::on_presence(const ChannelEvent& e) {
  ChannelSlot& slot = slots_[e.channel];
  const DeviceNo device = device_at(slot, e.address);
  if (device == kNoDevice) return;
  Presence& p = presence_[presence_key(slot.no, device)];
  if (p.epoch == slot.presence_epoch && e.seq < p.seq) return;  // overtaken by a newer one
  const bool was_online = p.online && p.epoch == slot.presence_epoch;
  p = {e.seq, now_, slot.presence_epoch, e.subkind != kOffline};
  slot.online += p.online;
  slot.online -= was_online;
  slot.stats.connections.set(slot.online);
  if (!p.online) return;
  router_.alive(device, now_);
  send_waiting(device, slot);
}

void Core::on_presence_reset(ChannelNo channel) {
  ChannelSlot& slot = slots_[channel];
  ++slot.presence_epoch;
  boost::unordered::erase_if(presence_, [channel](const auto& entry) { return entry.first >> 32 == channel; });
  slot.online = 0;
  slot.stats.connections.set(0);
}

// A send has found out before the event came.
void Core::gone_offline(DeviceNo device, ChannelSlot& slot, MonoNs before) {
  const auto it = presence_.find(presence_key(slot.no, device));
  if (!absent(device, slot) && !online(device, slot)) {  // nobody had spoken of it
    presence_[presence_key(slot.no, device)] = {0, now_, slot.presence_epoch, false};
    return;
  }
  if (it == presence_.end() || !it->second.online || it->second.epoch != slot.presence_epoch) return;
  if (it->second.since_ns > before) return;  // it has come back since
  it->second.online = false;
  --slot.online;
  slot.stats.connections.set(slot.online);
}

// Another token is another address behind the server: what was said of the old one does not hold.
void Core::forget_presence(DeviceNo device) {
  for (ChannelSlot& slot : slots_) {
    if (!slot.caps.presence || slot.caps.owns_listener) continue;
    slot.online -= online(device, slot);
    presence_.erase(presence_key(slot.no, device));
    slot.stats.connections.set(slot.online);
  }
}

bool Core::may_wait_for_presence(const MessageEntry& m, const Delivery& d) const {
  if (d.device == kNoDevice || d.cancel_wished || d.superseded) return false;
  return std::any_of(slots_.begin(), slots_.end(), [&](const ChannelSlot& slot) {
    return slot.caps.presence && (m.channel_mask & slot.bit()) && !(d.closed_channels & slot.bit()) &&
           sleep_of(m, d, slot) == routing::Sleep::offline;
  });
}

// The device is here: what waited for it goes out at once, urgent things first.
void Core::send_waiting(DeviceNo device, ChannelSlot& slot) {
  std::vector<DeliveryIx> waiting;
  for (DeliveryIx i = devices_[device].first; i != kNone; i = deliveries_[i].device_next) {
    const Delivery& d = deliveries_[i];
    const MessageEntry& m = messages_[d.message];
    if (!d.final && d.live == 0 && (d.waits_for_presence || d.wake == Wake::parked) && now_ < m.expires_ns &&
        (m.channel_mask & slot.bit()) && sleep_of(m, d, slot) == routing::Sleep::awake)
      waiting.push_back(i);
  }
  std::sort(waiting.begin(), waiting.end(), [this](DeliveryIx a, DeliveryIx b) {
    const Delivery &x = deliveries_[a], &y = deliveries_[b];
    const auto px = messages_[x.message].message->priority, py = messages_[y.message].message->priority;
    return px != py ? px < py : x.inbox_seq < y.inbox_seq;
  });
  for (const DeliveryIx dix : waiting) {
    Delivery& d = deliveries_[dix];
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
