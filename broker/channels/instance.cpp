#include "broker/channels/instance.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "broker/channels/abi_text.hpp"
#include "broker/channels/host_calls.hpp"
#include "broker/channels/instance_services.hpp"
#include "broker/channels/services/io_service.hpp"

namespace godwit::channels {
namespace {

constexpr std::chrono::seconds kCallPatience{20};  // create, start, reconfigure: they only hand on work
constexpr std::chrono::milliseconds kDrainPoll{5};

// What this instance can do: the type's caps, less what its configuration leaves out.
ChannelCaps caps_of(const ChannelType& type, const PreparedConfig& config) {
  ChannelCaps caps = to_caps(type.caps);
  if (receipts_are_off(type.config_schema, config)) caps.receipt_kinds &= GW_RECEIPT_ACCEPTED;
  return caps;
}

std::string plugin_failed(const char* call, int32_t status, const Diagnosis& said) {
  std::string text = std::string("its ") + call + " failed with " + status_text(status);
  if (const std::string words = said.text(); !words.empty()) text += ": " + words;
  return text;
}

}  // namespace

Instance::Instance(ChannelNo number, std::string name, std::string plugin_name, std::shared_ptr<const Plugin> plugin,
                   const ChannelType& type, PreparedConfig config, Machinery& machinery, PresenceGate::Stand stand)
    : number_(number),
      name_(std::move(name)),
      plugin_name_(std::move(plugin_name)),
      plugin_(std::move(plugin)),
      type_(type),
      caps_(caps_of(type, config)),
      machinery_(machinery),
      clock_(machinery.clock),
      misbehaviour_(name_, clock_),
      window_(caps_.max_window),
      settler_(number_, type.caps.priority_levels, clock_, window_, misbehaviour_,
               [this](int64_t retry_after_ms) {
                 const MonoNs until = clock_.mono_ns() + retry_after_ms * kNsPerMs;
                 if (until > window_.hold_until()) hold_until(until, "the vendor limits us");
               }),
      recalls_(misbehaviour_),
      presence_(stand),
      lane_(machinery.lanes, clock_, *this),
      timers_(machinery.timers, clock_, lane_,
              [this](uint64_t id, uint64_t cookie) {
                if (type_.ops.on_timer) guard([&] { type_.ops.on_timer(self_, id, cookie); });
              }),
      services_(std::make_unique<InstanceServices>(*this)),
      config_(std::move(config)),
      host_(HostCalls::table(*this)) {}

Instance::~Instance() = default;

std::vector<ConfigFault> Instance::load_secrets() {
  std::vector<ConfigFault> faults;
  secrets_.configure(config_.secrets, faults);
  return faults;
}

// ---- life ------------------------------------------------------------------------------------------------------

// `work` may still run after this gave up waiting, so it must own what it touches besides the instance.
std::future<void> Instance::queue(const char* what, Callback<void()> work) {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> ended = done->get_future();
  lane_.post(what, [done, work = std::move(work)]() mutable {
    work();
    done->set_value();
  });
  return ended;
}

Instance::Waited Instance::wait_for(std::future<void>& ended, std::chrono::milliseconds patience) {
  if (ended.wait_for(patience) == std::future_status::ready) return Waited::done;
  stuck_ = true;
  return Waited::too_long;
}

// Runs one of the plugin's functions that report and may fail.
Result<void> Instance::call_on_lane(const char* what, Callback<int32_t(const gw_diag*)> call) {
  struct Answer {
    int32_t status = GW_OK;
    Diagnosis said;
  };
  auto answer = std::make_shared<Answer>();
  std::future<void> ended = queue(what, [answer, call = std::move(call)]() mutable {
    answer->status = guard([&] { return call(answer->said.get()); }, &answer->said);
  });
  if (wait_for(ended, kCallPatience) == Waited::too_long)
    return Error{Code::internal,
                 std::string("its ") + what + " did not return within " + std::to_string(kCallPatience.count()) + " s",
                 {}};
  if (answer->status != GW_OK) {
    Error error{code_of_status(answer->status), plugin_failed(what, answer->status, answer->said), {}};
    for (const Diagnosis::Report& report : answer->said.reports())
      if (report.where.starts_with('/')) error.where = report.where;
    return error;
  }
  for (const Diagnosis::Report& report : answer->said.reports())
    spdlog::info("[{}] {}: {}{}{}", name_, what, report.where, report.where.empty() ? "" : ": ", report.text);
  return {};
}

Result<void> Instance::create() {
  Result<void> made = call_on_lane("create", [this](const gw_diag* diag) {
    const int32_t status = type_.ops.create(&host_, to_gw(config_.json), diag, &self_);
    phase_ = status == GW_OK ? Phase::created : Phase::failed;
    return status;
  });
  if (!made) state_ = ChannelState::failed;
  return made;
}

Result<void> Instance::start(ChannelSink& sink) {
  settler_.attach(sink);
  accepting_ = true;
  Result<void> started = call_on_lane("start", [this](const gw_diag* diag) {
    Phase created = Phase::created;  // before: a plugin may be ready, and be asked, before its start returned
    phase_.compare_exchange_strong(created, Phase::started);
    return type_.ops.start(self_, diag);
  });
  if (!started) set_state(ChannelState::failed, started.error().message);
  return started;
}

void Instance::begin_drain(MonoNs deadline) {
  accepting_ = false;
  if (phase_.load() != Phase::started) return;
  lane_.post("drain", [this, deadline] {
    Phase started = Phase::started;
    if (phase_.compare_exchange_strong(started, Phase::draining) && type_.ops.drain)
      guard([&] { type_.ops.drain(self_, static_cast<uint64_t>(deadline)); });
  });
}

bool Instance::is_drained() const {
  const Phase phase = phase_.load();
  if (phase != Phase::started && phase != Phase::draining) return true;
  return phase == Phase::draining && (type_.ops.drain ? plugin_drained_.load() : window_.out() == 0);
}

bool Instance::wait_drained(std::chrono::steady_clock::time_point until) {
  while (!is_drained()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kDrainPoll);
  }
  return true;
}

Result<void> Instance::stop(std::chrono::milliseconds patience) {
  accepting_ = false;
  if (phase_.load() == Phase::made || phase_.load() == Phase::failed || phase_.load() == Phase::destroyed) {
    lane_.close();
    recalls_.end_all(end_of_recalls("the channel has stopped"));
    settler_.detach();
    state_ = ChannelState::stopped;
    return {};
  }
  Waited waited = Waited::too_long;
  if (!stuck_) {
    std::unique_lock door(door_);  // waits for a parse that is inside
    std::unique_lock posts(post_mutex_);
    phase_ = Phase::closing;
    std::future<void> ended = queue("stop", [this] { shut_down(); });
    posts.unlock();
    door.unlock();
    waited = wait_for(ended, patience);
  }
  if (waited == Waited::too_long) {
    stuck_ = true;
    settler_.end_all("the channel did not stop");
    recalls_.end_all(end_of_recalls("the channel did not stop"));
    settler_.detach();
    return Error{Code::internal,
                 "did not stop within " + std::to_string(patience.count()) +
                     " ms; it is left behind and its memory is not freed",
                 {}};
  }
  state_ = ChannelState::stopped;
  return {};
}

// The order is the contract: no new work, no new posts, every pending callback delivered, no timer; then stop, the last
// moment at which the plugin may call us; then what it left open is ended for it; then destroy, and only then its
// memory.
void Instance::shut_down() {
  timers_.close();
  services_->close();
  guard([&] { type_.ops.stop(self_); });
  services_->io().release_listeners();
  phase_ = Phase::stopped;
  if (const size_t left = settler_.end_all("the channel stopped without settling it"); left > 0)
    misbehaviour_.note("stopped-unsettled", "stop returned with " + std::to_string(left) + " messages unsettled");
  recalls_.end_all(end_of_recalls("the channel has stopped"));
  settler_.detach();
  guard([&] { type_.ops.destroy(self_); });
  phase_ = Phase::destroyed;
  settler_.release();
  lane_.close();
}

// ---- taking over, and being taken over from ---------------------------------------------------------------------

bool Instance::serve() {
  if (!presence_.open([this](std::vector<ChannelEvent> events) { return settler_.events(std::move(events)); }))
    return false;
  if (presence_.has_refused()) event_room();
  services_->io().prefer_listeners();
  settler_.room();
  return true;
}

void Instance::step_aside() {
  replaced_ = true;
  accepting_ = false;
  presence_.replace();
}

void Instance::dismiss_strays() {
  services_->io().dismiss_from_others();
}

// Who comes next can be asked again; a channel that ended cannot.
RecallAnswer Instance::end_of_recalls(std::string_view why) const {
  return {replaced_ ? RecallEnd::later : RecallEnd::refused, std::string(why)};
}

// ---- configuration ---------------------------------------------------------------------------------------------

Instance::Change Instance::change_to(const PreparedConfig& fresh) const {
  Change change;
  const auto note = [&](const std::string& name, bool live) {
    std::string& list = live ? change.live : change.not_live;
    list += (list.empty() ? "" : ", ") + name;
  };
  for (const auto& [name, property] : fresh.properties) {
    const auto old = config_.properties.find(name);
    if (old == config_.properties.end() || old->second.value != property.value) note(name, property.live);
  }
  for (const auto& [name, property] : config_.properties)
    if (!fresh.properties.contains(name)) note(name, property.live);
  return change;
}

Result<void> Instance::reconfigure(PreparedConfig fresh) {
  const bool changed = !change_to(fresh).live.empty();
  std::vector<ConfigFault> faults;
  for (const std::string& name : secrets_.configure(fresh.secrets, faults)) services_->secrets().changed(name);
  if (!faults.empty()) return Error{Code::invalid, faults.front().text, faults.front().pointer};
  if (!changed || phase_.load() != Phase::started) {
    config_ = std::move(fresh);
    return {};
  }
  if (!type_.ops.reconfigure)
    return Error{Code::unsupported, "the plugin cannot change its configuration while running", {}};
  auto json = std::make_shared<const std::string>(fresh.json);
  Result<void> applied = call_on_lane(
      "reconfigure", [this, json](const gw_diag* diag) { return type_.ops.reconfigure(self_, to_gw(*json), diag); });
  if (applied) config_ = std::move(fresh);
  return applied;
}

// ---- now and then ----------------------------------------------------------------------------------------------

void Instance::watch(MonoNs now) {
  lane_.watch(now);
  settler_.sweep(now);
  if (settler_.pending() > 0) settler_.flush();  // a lane that is held keeps nobody waiting for what it settled before
}

void Instance::refresh_secrets() {
  for (const std::string& name : secrets_.refresh()) services_->secrets().changed(name);
}

void Instance::task_ended(const char* what, MonoNs took, bool more_follow) {
  constexpr MonoNs kLongEnoughNs = 500'000;
  constexpr size_t kBatch = 256;
  busy_ns_.fetch_add(took, std::memory_order_relaxed);
  if (!more_follow || took > kLongEnoughNs || settler_.pending() >= kBatch) settler_.flush();
  if (took < Lane::kWarnNs) return;
  // Once a minute: what matters is which call it is.
  const MonoNs now = clock_.mono_ns();
  if (now < quiet_until_) return;
  quiet_until_ = now + 60 * kNsPerSecond;
  spdlog::warn("[{}] {} held the lane for {} ms; 10 ms are the budget", name_, what, took / kNsPerMs);
}

void Instance::task_slow(const char* what, MonoNs since) {
  misbehaviour_.note("lane-blocked",
                     std::string(what) + " has held the lane for " + std::to_string(since / kNsPerMs) + " ms");
}

void Instance::task_hung(const char* what, MonoNs since) {
  hung_ = true;
  spdlog::error("[{}] {} has not returned for {} s: the channel is taken out of service until it does", name_, what,
                since / kNsPerSecond);
  settler_.room();
}

void Instance::task_came_back(const char* what, MonoNs took) {
  hung_ = false;
  spdlog::warn("[{}] {} came back after {} s: the channel is in service again", name_, what, took / kNsPerSecond);
  settler_.room();
}

}  // namespace godwit::channels
