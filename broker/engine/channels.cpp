// Channels: what the engine knows of each, the operator's switch, and which app may use which.
#include <algorithm>

#include "broker/engine/core.hpp"
#include "broker/engine/no_such_channel.hpp"

namespace godwit::engine {
namespace {

constexpr MonoNs kShortHoldNs = 2 * kNsPerSecond;  // a queue rather waits that long than moves elsewhere

std::string switch_key(const std::string& channel) {
  return "channel/" + channel + "/state";
}

routing::ReceiptKind receipts_of(const ChannelCaps& caps) {
  if ((caps.receipt_kinds & ~1u) == 0)
    return caps.receipt_kinds ? routing::ReceiptKind::accepted : routing::ReceiptKind::none;
  return caps.vendor_receipts_are_device ? routing::ReceiptKind::device : routing::ReceiptKind::vendor;
}

}  // namespace

void Core::attach(ChannelSet& channels) {
  channels_ = &channels;
  const size_t n = std::min<size_t>(channels.size(), routing::kMaxChannels);
  for (size_t i = 0; i < n; ++i) {
    const auto no = static_cast<ChannelNo>(i);
    const ChannelStatus status = channels.status(no);
    ChannelSlot& slot =
        slots_.emplace_back(no, status, stats_.channel(status.name), dispatch::RetryTokens(options_.retry_tokens));
    if (auto stored = parts_.catalogue.get_value(switch_key(slot.name)); stored && *stored)
      slot.admin = admin_state_from(**stored).value_or(AdminState::enabled);
  }
  for (const AppOptions& app : options_.apps) apps_.configure(app);
}

// After the router has got its statistics back, so that every channel finds its own.
void Core::add_channels_to_router() {
  for (ChannelSlot& slot : slots_) {
    routing::ChannelTraits traits;
    traits.name = slot.name;
    traits.receipts = receipts_of(slot.caps);
    traits.connection = slot.caps.presence;
    traits.costly = slot.caps.metered;
    traits.cost = slot.caps.cost_micro / 1e6;
    traits.prior = slot.caps.presence ? 0.92 : 0.7;
    for (const ChannelOptions& o : options_.channels) {
      if (o.name != slot.name) continue;
      if (o.prior > 0) traits.prior = o.prior;
      if (o.cost >= 0) traits.cost = o.cost;
      traits.manufacturer_priors = o.manufacturer_priors;
      traits.coverage = o.coverage;
      traits.dedupe = o.dedupe;
      traits.typical_delay_s = o.typical_delay_s;
      traits.path = o.path;
    }
    slot.route = router_.add_channel(traits);
    if (slot.route >= by_route_.size()) by_route_.resize(slot.route + 1, kAppItself);
    by_route_[slot.route] = slot.no;
  }
}

void Core::reconfigure(std::vector<AppOptions> apps) {
  for (const AppOptions& options : apps) apps_.configure(options);
}

// What the channel's state means for sending; moves its queue when it has gone to sleep.
void Core::refresh_channel(ChannelSlot& slot) {
  reset_quota_if_over(slot);
  const ChannelStatus status = channels_->status(slot.no);
  const MonoNs held_until = std::max(slot.held_until_ns, status.held_until_ns);
  using routing::Sleep;
  Sleep sleep = Sleep::awake;
  if (slot.admin != AdminState::enabled)
    sleep = slot.admin == AdminState::disabled ? Sleep::disabled : Sleep::draining;
  else if (status.state != ChannelState::ready && status.state != ChannelState::degraded)
    sleep = Sleep::down;
  else if (held_until > now_)
    sleep = Sleep::held;
  if (sleep == slot.sleep) return;
  slot.sleep = sleep;
  if (sleep == Sleep::awake) return unpark_all();
  if (sleep == Sleep::held && held_until - now_ <= kShortHoldNs) return;
  reroute_queue(slot);
}

void Core::on_room(ChannelNo channel) {
  if (channel < slots_.size()) slots_[channel].look = true;
}

ChannelView Core::view_of(const ChannelSlot& slot) const {
  const ChannelStatus status = channels_->status(slot.no);
  ChannelView v;
  v.name = status.name;
  v.plugin = status.plugin;
  v.vendor = status.vendor;
  v.version = status.version;
  v.state = to_string(status.state);
  v.state_reason = status.reason;
  v.admin_state = to_string(slot.admin);
  v.window = status.window;
  v.in_flight = status.in_flight;
  v.queued = slot.queue.size();
  v.connections = slot.presence.online();
  const MonoNs held_until = std::max(slot.held_until_ns, status.held_until_ns);
  if (held_until > now_) {
    v.held_until_ms = wall_ + (held_until - now_) / kNsPerMs;
    v.hold_reason = status.hold_reason.empty() ? "the vendor asked us to slow down" : status.hold_reason;
  }
  v.troubles = troubles_of(slot);
  return v;
}

std::vector<ChannelTrouble> Core::troubles_of(const ChannelSlot& slot) const {
  std::vector<ChannelTrouble> out;
  if (slot.route == routing::kNoChannel) return out;  // not started yet
  for (routing::Alarm& alarm : router_.alarms())
    if (alarm.channel == slot.route)
      out.push_back({"delivers_less", std::move(alarm.manufacturer), std::move(alarm.os), std::move(alarm.region),
                     wall_ - (now_ - alarm.since_ns) / kNsPerMs, alarm.health});
  const routing::ChannelView seen = router_.channel(slot.route, now_);
  if (seen.breaker_open) out.push_back({.kind = "circuit_open"});
  if (seen.blackout) out.push_back({.kind = "receipts_lost"});
  if (seen.doubted) out.push_back({.kind = "receipts_doubted"});
  return out;
}

void Core::list_channels(Done<std::vector<ChannelView>> done) {
  std::vector<ChannelView> out;
  for (const ChannelSlot& slot : slots_) out.push_back(view_of(slot));
  done(std::move(out));
}

// The switch acts at once and is durable when it is answered.
void Core::set_channel(const std::string& name, const std::string& admin_state, Done<ChannelView> done) {
  const auto wanted = admin_state_from(admin_state);
  if (!wanted) return done(Error{Code::invalid, "must be enabled, draining or disabled, not " + admin_state, "/state"});
  const auto slot = std::find_if(slots_.begin(), slots_.end(), [&](const ChannelSlot& s) { return s.name == name; });
  if (slot == slots_.end()) return done(no_such_channel(channels_, name));
  slot->admin = *wanted;
  refresh_channel(*slot);
  jobs_.run([this, key = switch_key(name), admin_state] { return parts_.catalogue.put_value(key, admin_state); },
            [this, no = slot->no, done = std::move(done)](Fate fate) mutable {
              if (fate != Fate::ok) return done(journal_error(fate));
              done(view_of(slots_[no]));
            });
}

std::string_view to_string(AdminState s) {
  return s == AdminState::enabled ? "enabled" : s == AdminState::draining ? "draining" : "disabled";
}
std::optional<AdminState> admin_state_from(std::string_view s) {
  for (const auto state : {AdminState::enabled, AdminState::draining, AdminState::disabled})
    if (to_string(state) == s) return state;
  return std::nullopt;
}

}  // namespace godwit::engine
