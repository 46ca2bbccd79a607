// The working day of an Instance: messages in, outcomes and events out, and the calls that run beside the lane.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <godwit/table.hpp>

#include "broker/channels/abi_text.hpp"
#include "broker/channels/instance.hpp"
#include "broker/channels/instance_services.hpp"

namespace godwit::channels {

ChannelStatus Instance::status() const {
  ChannelStatus s;
  s.name = name_;
  s.plugin = type_.id;
  s.vendor = type_.vendor;
  s.version = type_.version;
  s.caps = caps_;
  const ChannelState state = state_.load();
  s.state = hung_ && state != ChannelState::stopped ? ChannelState::hung : state;
  s.window = window_.size();
  s.in_flight = window_.out();
  s.held_until_ns = window_.hold_until();
  std::lock_guard lock(text_mutex_);
  s.reason = state_reason_;
  if (s.held_until_ns > clock_.mono_ns()) s.hold_reason = hold_reason_;
  return s;
}

void Instance::set_state(ChannelState state, std::string reason) {
  const ChannelState before = state_.exchange(state);
  {
    std::lock_guard lock(text_mutex_);
    state_reason_ = reason;
  }
  if (before == state) return;
  const bool good = state == ChannelState::ready || state == ChannelState::starting;
  spdlog::log(good ? spdlog::level::info : spdlog::level::warn, "[{}] {} -> {}{}{}", name_, to_string(before),
              to_string(state), reason.empty() ? "" : ": ", reason);
  settler_.room();
}

void Instance::hold_until(MonoNs until, std::string reason) {
  {
    std::lock_guard lock(text_mutex_);
    hold_reason_ = std::move(reason);
  }
  window_.hold(until);
  const MonoNs now = clock_.mono_ns();
  if (until <= now)
    settler_.room();
  else if (until < TicketTable::kNever)
    machinery_.timers.arm(until, [this] { settler_.room(); });
}

uint32_t Instance::credit(MonoNs now) const {
  const ChannelState state = state_.load(std::memory_order_relaxed);
  if (state != ChannelState::ready && state != ChannelState::degraded) return 0;
  if (!accepting_ || hung_) return 0;
  // What the plugin will never settle takes memory: at most as much as one more window.
  if (settler_.abandoned() >= window_.hard_limit()) return 0;
  return std::min(window_.room(now), caps_.max_batch);
}

bool Instance::submit(Parcels parcels) {
  const MonoNs now = clock_.mono_ns();
  if (parcels.empty()) return true;
  if (credit(now) == 0 || !window_.take(static_cast<uint32_t>(parcels.size()), now)) return false;
  const size_t count = parcels.size();
  if (lane_.post("submit", [this, parcels = std::move(parcels)] { run_submit(parcels); })) return true;
  window_.give_back(static_cast<uint32_t>(count));
  return false;
}

// Between the dispatcher's look and this moment the channel may have been held, or gone down.
void Instance::run_submit(const Parcels& parcels) {
  const MonoNs now = clock_.mono_ns();
  if (!is_alive()) return settler_.return_unsent(parcels, Disposition::unreachable, 0, "the channel has stopped");
  if (window_.hold_until() > now)
    return settler_.return_unsent(parcels, Disposition::throttled, (window_.hold_until() - now) / kNsPerMs,
                                  "the channel was put on hold before this left");
  const ChannelState state = state_.load();
  if (state == ChannelState::down || state == ChannelState::failed)
    return settler_.return_unsent(parcels, Disposition::unreachable, 0, "the channel went down before this left");

  Parcels fit;
  const bool all_fit = std::all_of(parcels.begin(), parcels.end(), [&](const auto& p) { return unfit(*p).empty(); });
  if (!all_fit)
    for (const std::shared_ptr<const Parcel>& parcel : parcels) {
      const std::string fault = unfit(*parcel);
      if (fault.empty())
        fit.push_back(parcel);
      else
        settler_.return_unsent({&parcel, 1}, Disposition::rejected, 0, fault);
    }
  std::span<const std::shared_ptr<const Parcel>> rest = all_fit ? parcels : fit;
  while (!rest.empty()) {
    const size_t n = std::min<size_t>(rest.size(), caps_.max_batch);
    submit_chunk(rest.first(n));
    rest = rest.subspan(n);
  }
}

// The ceilings of the plugin's caps, which we promised never to exceed.
std::string Instance::unfit(const Parcel& parcel) const {
  if (caps_.max_payload_bytes && parcel.message->content.size() > caps_.max_payload_bytes)
    return "the content has " + std::to_string(parcel.message->content.size()) + " bytes, this channel takes " +
           std::to_string(caps_.max_payload_bytes);
  if (parcel.targets.empty() || (caps_.max_targets && parcel.targets.size() > caps_.max_targets))
    return "the message has " + std::to_string(parcel.targets.size()) + " targets, this channel takes 1 to " +
           std::to_string(caps_.max_targets);
  return {};
}

void Instance::submit_chunk(std::span<const std::shared_ptr<const Parcel>> parcels) {
  settler_.open(parcels, batch_);
  batch_tickets_.clear();
  for (const gw_msg* message : batch_) batch_tickets_.push_back(message->ticket);
  const gw_batch batch{sizeof batch, static_cast<uint32_t>(batch_.size()), batch_.data()};
  Diagnosis said;
  const int32_t status = guard([&] { return type_.ops.submit(self_, &batch); }, &said);
  if (status == GW_OK) return;
  if (status == GW_E_INTERNAL) {
    // It broke in the middle: what it had sent by then only it knew.
    misbehaviour_.note("submit-broke", "submit failed with " + status_text(status) + " " + said.text());
    settler_.refuse(batch_tickets_, Disposition::unknown, "the plugin failed while taking it");
  } else {
    settler_.refuse(batch_tickets_, Disposition::retry, "the plugin refused it: " + status_text(status));
  }
}

// A message to many devices is cancelled attempt by attempt; the lane looks through what is open once for all of them.
void Instance::cancel(uint64_t cookie) {
  if (!type_.ops.cancel) return;
  {
    std::lock_guard lock(cancel_mutex_);
    cancelled_.insert(cookie);
    if (cancelled_.size() > 1) return;  // the lane is on its way already
  }
  lane_.post("cancel", [this] {
    std::unordered_set<uint64_t> cookies;
    {
      std::lock_guard lock(cancel_mutex_);
      cookies.swap(cancelled_);
    }
    if (!is_alive()) return;
    for (const uint64_t ticket : settler_.tickets_of(cookies)) guard([&] { type_.ops.cancel(self_, ticket); });
  });
}

void Instance::recall(RecallWish wish, OpenRecalls::Done done) {
  auto shared = std::make_shared<OpenRecalls::Done>(std::move(done));  // a closed lane drops the task, not the answer
  if (!lane_.post("recall", [this, wish = std::move(wish), shared] { run_recall(wish, std::move(*shared)); }))
    (*shared)(end_of_recalls("the channel has stopped"));
}

void Instance::run_recall(const RecallWish& wish, OpenRecalls::Done done) {
  if (!is_alive()) return done({RecallEnd::later, "the channel is stopping"});
  gw_target target{};
  target.size = sizeof target;
  target.address = to_gw(wish.target.address);
  target.user_id = to_gw_or_absent(wish.target.user_id);
  target.extra = to_gw_or_absent(wish.target.extra);
  gw_recall_request request{};
  request.size = sizeof request;
  request.message_id = to_gw(wish.message_id);
  request.app_id = to_gw(wish.app);
  request.vendor_id = to_gw_or_absent(wish.vendor_id);
  request.target = wish.everybody ? nullptr : &target;
  void* const open = recalls_.open(std::move(done));
  const int32_t status = guard([&] { return type_.recall.recall(self_, &request, &OpenRecalls::on_done, open); });
  if (status != GW_OK) recalls_.end(open, {OpenRecalls::end_of(status), status_text(status)});
}

void Instance::event_room() {
  lane_.post("on_event_room", [this] {
    if (is_alive() && type_.ops.on_event_room) guard([&] { type_.ops.on_event_room(self_); });
  });
}

ChannelDescription Instance::describe() const {
  ChannelDescription d;
  d.status = status();
  d.plugin_name = type_.name;
  d.license = type_.license;
  d.docs_url = type_.docs_url;
  d.sdk_version = plugin_->sdk_version;
  d.file = plugin_->file.string();
  d.misbehaviours = misbehaviour_.total();
  d.late_settles = settler_.late_settles();
  d.forgotten = settler_.forgotten();
  std::shared_lock door(door_, std::try_to_lock);
  if (door && is_alive() && type_.ops.health) {
    Diagnosis figures;
    guard([&] { return type_.ops.health(self_, figures.get()); }, &figures);
    for (const Diagnosis::Report& r : figures.reports()) d.health.emplace_back(r.where, r.text);
  }
  return d;
}

void Instance::collect_metrics(const std::function<void(const MetricSample&)>& sink) const {
  const auto figure = [&](MetricSample::Kind kind, const char* name, const char* help, double value) {
    MetricSample sample;
    sample.kind = kind;
    sample.name = name;
    sample.help = help;
    sample.labels = {{"channel", name_}};
    sample.value = value;
    sink(sample);
  };
  using Kind = MetricSample::Kind;
  figure(Kind::gauge, "channel_window", "Messages that may be with the channel at once.",
         replaced_ ? 0 : window_.size());
  figure(Kind::gauge, "channel_in_flight", "Messages that are with the channel.", window_.out());
  figure(Kind::gauge, "channel_lane_queue", "Calls that wait for the channel's lane.",
         static_cast<double>(lane_.queued()));
  figure(Kind::counter, "channel_lane_busy_seconds_total", "Time spent inside the channel's plugin.",
         static_cast<double>(busy_ns_.load()) / 1e9);
  figure(Kind::counter, "plugin_misbehaviours_total", "Breaches of the plugin contract.",
         static_cast<double>(misbehaviour_.total()));
  figure(Kind::counter, "plugin_late_settles_total", "Settled after the host had given up.",
         static_cast<double>(settler_.late_settles()));
  figure(Kind::counter, "plugin_forgotten_total", "Messages that the plugin did not settle in time.",
         static_cast<double>(settler_.forgotten()));
  services_->collect_metrics(sink);
}

}  // namespace godwit::channels
