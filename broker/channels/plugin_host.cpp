#include "broker/channels/plugin_host.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "broker/channels/abi_text.hpp"
#include "broker/channels/host_machinery.hpp"
#include "broker/channels/instance.hpp"
#include "broker/channels/loader.hpp"

namespace godwit::channels {
namespace {

constexpr MonoNs kWatchEvery = 250 * kNsPerMs;
constexpr MonoNs kSecretsEvery = kNsPerSecond;

// Where a plugin that does not come back lives on. Nobody ever looks in here; it only keeps leak checkers quiet.
void leave_behind(std::unique_ptr<HostMachinery> machinery, std::vector<std::unique_ptr<Instance>> instances) {
  static auto* graveyard = new std::vector<std::pair<HostMachinery*, std::vector<std::unique_ptr<Instance>>>>;
  graveyard->emplace_back(machinery.release(), std::move(instances));
}

// A plugin may name a field instead of pointing at it.
std::string as_pointer(const std::string& where) {
  return where.empty() || where.starts_with('/') ? where : "/" + where;
}

class Host final : public PluginHost {
 public:
  Host(std::vector<ChannelConfig> channels, PluginHostOptions options, PluginHostPorts ports)
      : configs_(std::move(channels)),
        options_(std::move(options)),
        loader_({options_.data_dir / "run" / "plugins", options_.plugin_dirs, options_.checker}),
        machinery_(std::make_unique<HostMachinery>(ports, options_)) {}

  ~Host() override {
    stop(0);
    bool stuck = !machinery_->stop(patience());
    for (const auto& instance : instances_) stuck |= instance && instance->is_stuck();
    if (stuck) leave_behind(std::move(machinery_), std::move(instances_));
  }

  // ---- opening ----
  bool open(std::vector<ChannelFault>& faults) {
    const size_t before = faults.size();
    std::set<std::string> names;
    for (size_t i = 0; i < configs_.size(); ++i) {
      if (!names.insert(configs_[i].name).second)
        faults.push_back({configs_[i].name, "", "two channels have this name"});
      instances_.push_back(prepare(static_cast<ChannelNo>(i), configs_[i], faults));
    }
    if (has_error(faults, before)) return false;
    for (size_t i = 0; i < instances_.size(); ++i)
      if (configs_[i].enabled)
        if (Result<void> made = instances_[i]->create(); !made)
          faults.push_back({configs_[i].name, made.error().where, made.error().message});
    return !has_error(faults, before);
  }

  std::unique_ptr<Instance> prepare(ChannelNo number, const ChannelConfig& config, std::vector<ChannelFault>& faults) {
    const auto fault = [&](std::string text) {
      faults.push_back({config.name, "", std::move(text)});
      return nullptr;
    };
    if (config.isolation != "inline")
      return fault(config.isolation == "process" ? "isolation 'process' is not available in this version; use 'inline'"
                                                 : "isolation must be 'inline', got '" + config.isolation + "'");
    Result<std::shared_ptr<const Plugin>> plugin = loader_.load(config.plugin);
    if (!plugin) return fault(plugin.error().message);
    if ((*plugin)->flags & GW_ENTRY_ONLY_PROCESS)
      return fault((*plugin)->file.string() +
                   ": must run in a process of its own, which is not available in this version");
    if (((*plugin)->flags & GW_ENTRY_ONE_INSTANCE) && !single_.insert((*plugin)->sha256_hex).second)
      return fault((*plugin)->file.string() + ": allows only one instance in a process");
    Result<const ChannelType*> type = pick_type(**plugin, config.plugin);
    if (!type) return fault(type.error().message);
    std::optional<PreparedConfig> prepared = check(**type, config, faults);
    if (!prepared) return nullptr;
    auto instance = std::make_unique<Instance>(number, config.name, config.plugin, *plugin, **type,
                                               std::move(*prepared), machinery_->view);
    for (ConfigFault& f : instance->load_secrets()) faults.push_back({config.name, f.pointer, f.text});
    return instance;
  }

  static std::optional<PreparedConfig> check(const ChannelType& type, const ChannelConfig& config,
                                             std::vector<ChannelFault>& faults) {
    std::vector<ConfigFault> found;
    std::optional<PreparedConfig> prepared = prepare_config(type.config_schema, config.config, found);
    for (ConfigFault& f : found) faults.push_back({config.name, f.pointer, f.text});
    if (!prepared || !type.ops.check_config) return prepared;

    Diagnosis said;
    const int32_t status = guard([&] { return type.ops.check_config(to_gw(prepared->json), said.get()); }, &said);
    for (const Diagnosis::Report& r : said.reports())
      if (r.severity >= GW_DIAG_WARNING)
        faults.push_back({config.name, as_pointer(r.where), r.text, status == GW_OK || r.severity < GW_DIAG_ERROR});
    if (status == GW_OK) return prepared;
    if (said.text().empty()) faults.push_back({config.name, "", "its check_config failed with " + status_text(status)});
    return std::nullopt;
  }

  static bool has_error(const std::vector<ChannelFault>& faults, size_t from) {
    return std::any_of(faults.begin() + static_cast<ptrdiff_t>(from), faults.end(),
                       [](const ChannelFault& f) { return !f.warning; });
  }

  // ---- life ----
  std::vector<ChannelFault> start(ChannelSink& sink) override {
    std::vector<ChannelFault> faults;
    for (size_t i = 0; i < instances_.size(); ++i)
      if (configs_[i].enabled)
        if (Result<void> started = instances_[i]->start(sink); !started)
          faults.push_back({configs_[i].name, started.error().where, started.error().message});
    machinery_->timers.every(kWatchEvery, [this] {
      for (const auto& instance : instances_) instance->watch(machinery_->ports.clock.mono_ns());
    });
    machinery_->timers.every(kSecretsEvery, [this] {
      machinery_->storing.post([this] {
        for (const auto& instance : instances_) instance->refresh_secrets();
      });
    });
    return faults;
  }

  std::vector<ChannelFault> reconfigure(const std::vector<ChannelConfig>& channels) override {
    std::vector<ChannelFault> faults;
    for (const ChannelConfig& config : channels) {
      const std::optional<ChannelNo> number = find(config.name);
      if (!number) {
        faults.push_back({config.name, "", "a new channel needs a restart"});
        continue;
      }
      ChannelConfig& known = configs_[*number];
      if (known.plugin != config.plugin || known.isolation != config.isolation || known.enabled != config.enabled) {
        faults.push_back({config.name, "", "a change of plugin, isolation or enabled needs a restart"});
        continue;
      }
      std::optional<PreparedConfig> prepared = check(instances_[*number]->type(), config, faults);
      if (!prepared) continue;
      if (Result<void> applied = instances_[*number]->reconfigure(std::move(*prepared)); !applied)
        faults.push_back({config.name, applied.error().where, applied.error().message});
      else
        known.config = config.config;
    }
    for (const ChannelConfig& known : configs_)
      if (std::none_of(channels.begin(), channels.end(), [&](const auto& c) { return c.name == known.name; }))
        faults.push_back({known.name, "", "removing a channel needs a restart"});
    return faults;
  }

  std::vector<ChannelFault> stop(int64_t drain_ms) override {
    std::vector<ChannelFault> faults;
    if (std::exchange(stopped_, true)) return faults;
    if (drain_ms > 0) {
      const MonoNs deadline = machinery_->ports.clock.mono_ns() + drain_ms * kNsPerMs;
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(drain_ms);
      for (const auto& instance : instances_)
        if (instance) instance->begin_drain(deadline);
      for (const auto& instance : instances_)
        if (instance && !instance->wait_drained(until))
          faults.push_back({instance->name(), "",
                            "was not drained after " + std::to_string(drain_ms) + " ms; what is open is unknown",
                            true});
    }
    for (const auto& instance : instances_)
      if (instance)
        if (Result<void> ended = instance->stop(patience()); !ended)
          faults.push_back({instance->name(), "", ended.error().message});
    return faults;
  }

  // ---- ChannelSet ----
  size_t size() const override { return instances_.size(); }
  ChannelStatus status(ChannelNo channel) const override {
    ChannelStatus status = instances_[channel]->status();
    if (!configs_[channel].enabled) {
      status.state = ChannelState::stopped;
      status.reason = "disabled in the configuration";
    }
    return status;
  }
  std::optional<ChannelNo> find(std::string_view name) const override {
    for (size_t i = 0; i < configs_.size(); ++i)
      if (configs_[i].name == name) return static_cast<ChannelNo>(i);
    return std::nullopt;
  }
  uint32_t credit(ChannelNo channel, MonoNs now) const override { return instances_[channel]->credit(now); }
  bool submit(ChannelNo channel, std::vector<std::shared_ptr<const Parcel>> parcels) override {
    return instances_[channel]->submit(std::move(parcels));
  }
  void cancel(ChannelNo channel, uint64_t cookie) override { instances_[channel]->cancel(cookie); }
  void recall(ChannelNo channel, RecallWish wish, Callback<void(RecallAnswer)> done) override {
    instances_[channel]->recall(std::move(wish), std::move(done));
  }
  Result<WebhookReply> parse_webhook(ChannelNo channel, const WebhookRequest& request) override {
    return instances_[channel]->parse_webhook(request);
  }
  Result<std::string> preview(ChannelNo channel, const Parcel& parcel) override {
    return instances_[channel]->preview(parcel);
  }
  void event_room(ChannelNo channel) override { instances_[channel]->event_room(); }

  // ---- for people ----
  std::vector<ChannelDescription> describe() const override {
    std::vector<ChannelDescription> all;
    for (size_t i = 0; i < instances_.size(); ++i) {
      all.push_back(instances_[i]->describe());
      all.back().status = status(static_cast<ChannelNo>(i));
      all.back().enabled = configs_[i].enabled;
    }
    return all;
  }
  void collect_metrics(const std::function<void(const MetricSample&)>& sink) const override {
    for (const auto& instance : instances_) instance->collect_metrics(sink);
  }
  void turn_time() override { machinery_->timers.run_due(); }

 private:
  std::chrono::milliseconds patience() const { return std::chrono::milliseconds(options_.stop_patience_ms); }

  std::vector<ChannelConfig> configs_;
  const PluginHostOptions options_;
  Loader loader_;
  std::set<std::string> single_;  // plugins that allow one instance, and have it
  std::unique_ptr<HostMachinery> machinery_;
  std::vector<std::unique_ptr<Instance>> instances_;  // by ChannelNo; null only while open fails
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<PluginHost> PluginHost::open(std::vector<ChannelConfig> channels, PluginHostOptions options,
                                             PluginHostPorts ports, std::vector<ChannelFault>& faults) {
  auto host = std::make_unique<Host>(std::move(channels), std::move(options), std::move(ports));
  return host->open(faults) ? std::move(host) : nullptr;
}

}  // namespace godwit::channels
