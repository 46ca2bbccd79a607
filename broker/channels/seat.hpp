// Seat is one channel's place in the host: the instance that serves it, and those before it that are still finishing.
//
// It answers for the channel while instances change: new messages go to the one that serves, whatever concerns messages
// that are out (cancel, room for events, figures) goes to all that still run. A message is handed over under the seat's
// lock, so none reaches an instance that has been told to drain.
//
// Any thread, but for the part that says otherwise. Instances that ended stay as shells until the seat is destroyed: a
// thread that a plugin forgot to join meets a closed door and not freed memory.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/channels/figure_sum.hpp"
#include "broker/channels/instance.hpp"
#include "broker/channels/plugin_host.hpp"

namespace godwit::channels {

class Seat {
 public:
  Seat(ChannelConfig config, std::shared_ptr<Instance> first)
      : name(config.name), enabled(config.enabled), config_(std::move(config)), current_(std::move(first)) {}

  const std::string name;
  const bool enabled;

  std::shared_ptr<Instance> current() const;
  void for_each(const std::function<void(Instance&)>& visit) const;  // those that run, the current one first

  ChannelStatus status() const;
  uint32_t credit(MonoNs now) const;
  bool submit(Instance::Parcels parcels);
  void cancel(uint64_t cookie);
  Result<WebhookReply> parse_webhook(const WebhookRequest& request);
  ChannelDescription describe() const;
  void add_metrics(FigureSum& sum) const;

  // ---- the thread that reloads ----
  const ChannelConfig& config() const { return config_; }
  void set_config(ChannelConfig config) { config_ = std::move(config); }
  // The fresh instance serves from now on; the one before it leaves. Both are told.
  void switch_to(std::shared_ptr<Instance> fresh);
  // An instance that left, or never served, is stopped. `counted`: what it had counted before its stop.
  void has_ended(const std::shared_ptr<Instance>& instance, const FigureSum& counted);
  bool is_stuck() const;  // some instance did not come back from its plugin

 private:
  std::vector<std::shared_ptr<Instance>> running(FigureSum* ended = nullptr) const;

  ChannelConfig config_;
  mutable std::mutex mutex_;
  FigureSum ended_figures_;                         // guarded by mutex_: what instances that are gone had counted
  std::shared_ptr<Instance> current_;               // guarded by mutex_
  std::vector<std::shared_ptr<Instance>> leaving_;  // guarded by mutex_
  std::vector<std::shared_ptr<Instance>> ended_;    // guarded by mutex_
};

}  // namespace godwit::channels
