// Instance is one running channel: a plugin's type, its configuration, its lane, and everything that is with it.
//
// It takes away the plugin's side of concurrency (all calls on one lane) and the broker's side of trust (each call is
// guarded, each misuse named, each message ended exactly once). Who calls what:
//
//   the host's thread   create, start, drain, stop: in this order, each waits for the lane with a limit
//   any thread          submit, cancel, recall, credit, status, parse_webhook, preview, health, event_room
//   the plugin          gw_host (host_calls.cpp), from any thread
//
// The object outlives its plugin's instance, so that late calls of a plugin meet a closed door and not freed memory. If
// the plugin never comes back from a call, `is_stuck` says so and the object must never be destroyed.
#pragma once

#include <godwit/abi.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "broker/channels/config_check.hpp"
#include "broker/channels/convert.hpp"
#include "broker/channels/lane.hpp"
#include "broker/channels/misbehaviour.hpp"
#include "broker/channels/open_recalls.hpp"
#include "broker/channels/plugin.hpp"
#include "broker/channels/plugin_host.hpp"
#include "broker/channels/plugin_timers.hpp"
#include "broker/channels/port.hpp"
#include "broker/channels/presence_gate.hpp"
#include "broker/channels/secret_store.hpp"
#include "broker/channels/settler.hpp"
#include "broker/channels/window.hpp"

namespace godwit::channels {

class IoLoop;
class Listeners;
class InstanceServices;

// What all instances share; outlives them.
struct Machinery {
  const Clock& clock;
  WorkerPool& lanes;
  WorkerPool& storing;
  WorkerPool& blocking;
  Timers& timers;
  IoLoop& io;
  Listeners& listeners;
  const PluginHostPorts& ports;
};

class Instance final : Lane::Owner {
 public:
  using Parcels = std::vector<std::shared_ptr<const Parcel>>;

  Instance(ChannelNo number, std::string name, std::string plugin_name, std::shared_ptr<const Plugin> plugin,
           const ChannelType& type, PreparedConfig config, Machinery& machinery, PresenceGate::Stand stand);
  ~Instance();

  // ---- life: one thread at a time (see PluginHost) ----
  std::vector<ConfigFault> load_secrets();  // before create
  Result<void> create();
  Result<void> start(ChannelSink& sink);
  void begin_drain(MonoNs deadline);
  bool is_drained() const;
  bool wait_drained(std::chrono::steady_clock::time_point until);
  Result<void> stop(std::chrono::milliseconds patience);
  bool is_stuck() const { return stuck_; }

  // What a new configuration changes, by name and with commas between: what the plugin can apply, and what it cannot.
  struct Change {
    std::string live, not_live;
  };
  Change change_to(const PreparedConfig& config) const;
  // Applies a new configuration. REQUIRES: every change is live.
  Result<void> reconfigure(PreparedConfig config);

  // The switch. `serve`: presence goes out from now on, and new connections come here; false: the sink has no room for
  // what was kept, ask again. `step_aside`: takes nothing new; what it says of presence is dropped.
  bool serve();
  void step_aside();
  // While another instance drains: ends connections that came to listening sockets of which this one knows nothing.
  void dismiss_strays();

  // ---- the ChannelSet's calls ----
  ChannelStatus status() const;
  uint32_t credit(MonoNs now) const;
  uint32_t in_flight() const { return window_.out(); }
  [[nodiscard]] bool submit(Parcels parcels);
  void cancel(uint64_t cookie);
  void recall(RecallWish wish, OpenRecalls::Done done);
  Result<WebhookReply> parse_webhook(const WebhookRequest& request);
  Result<Preview> preview(const Parcel& parcel);
  void event_room();
  ChannelDescription describe() const;
  void collect_metrics(const std::function<void(const MetricSample&)>& sink) const;

  // ---- now and then, from the timer thread ----
  void watch(MonoNs now);
  void refresh_secrets();  // blocks on the disk; from the storing pool

  const std::string& name() const { return name_; }
  const PreparedConfig& config() const { return config_; }
  const ChannelType& type() const { return type_; }
  const Plugin& plugin() const { return *plugin_; }
  const ChannelCaps& caps() const { return caps_; }

 private:
  friend struct HostCalls;  // host_calls.cpp: the functions behind gw_host
  friend class InstanceServices;

  // made -> created -> started -> draining -> closing -> stopped -> destroyed; `failed` after a failed create.
  enum class Phase : uint8_t { made, created, started, draining, closing, stopped, destroyed, failed };
  enum class Waited { done, too_long };

  bool is_alive() const {  // the plugin may be called beside the lane
    const Phase phase = phase_.load();
    return phase == Phase::started || phase == Phase::draining;
  }
  void set_state(ChannelState state, std::string reason);
  bool may_call_host() const { return phase_.load() < Phase::stopped; }
  std::future<void> queue(const char* what, Callback<void()> work);
  Waited wait_for(std::future<void>& ended, std::chrono::milliseconds patience);
  Result<void> call_on_lane(const char* what, Callback<int32_t(const gw_diag*)> call);
  RecallAnswer end_of_recalls(std::string_view why) const;
  void shut_down();  // on the lane: the whole sequence from closing to destroyed

  void run_submit(const Parcels& parcels);
  void run_recall(const RecallWish& wish, OpenRecalls::Done done);
  void submit_chunk(std::span<const std::shared_ptr<const Parcel>> parcels);
  std::string unfit(const Parcel& parcel) const;
  void hold_until(MonoNs until, std::string reason);

  void task_ended(const char* what, MonoNs took, bool more_follow) override;
  void task_slow(const char* what, MonoNs since) override;
  void task_hung(const char* what, MonoNs since) override;
  void task_came_back(const char* what, MonoNs took) override;

  // Constant after construction. The order of the members is the order in which they may use each other.
  const ChannelNo number_;
  const std::string name_, plugin_name_;
  const std::shared_ptr<const Plugin> plugin_;
  const ChannelType& type_;
  const ChannelCaps caps_;
  Machinery& machinery_;
  const Clock& clock_;

  // With their own synchronisation.
  Misbehaviour misbehaviour_;
  Window window_;
  Settler settler_;
  OpenRecalls recalls_;
  PresenceGate presence_;
  Lane lane_;
  PluginTimers timers_;
  SecretStore secrets_;
  std::unique_ptr<InstanceServices> services_;
  std::atomic<Phase> phase_{Phase::made};
  std::atomic<ChannelState> state_{ChannelState::starting};
  std::atomic<bool> hung_{false}, plugin_drained_{false}, accepting_{false}, replaced_{false};
  std::atomic<int64_t> busy_ns_{0};
  std::atomic<bool> stuck_{false};

  // Entered (shared) by what runs beside the lane and must not overlap with the plugin's stop: parse, preview, health.
  // `stop` holds it, and post_mutex_, while it sets Phase::closing: what a plugin posted before runs before its stop.
  mutable std::shared_mutex door_;
  std::mutex post_mutex_;

  std::mutex cancel_mutex_;
  std::unordered_set<uint64_t> cancelled_;  // guarded by cancel_mutex_: cookies that the lane has not looked at yet

  mutable std::mutex text_mutex_;
  std::string state_reason_, hold_reason_;  // guarded by text_mutex_

  PreparedConfig config_;  // the thread that drives the life; the lane reads it in create only

  // On the lane; self_ and host_ are fixed once created.
  void* self_ = nullptr;
  gw_host host_{};
  std::vector<const gw_msg*> batch_;
  std::vector<uint64_t> batch_tickets_;
  MonoNs quiet_until_ = 0;  // for the warning of slow calls
};

}  // namespace godwit::channels
