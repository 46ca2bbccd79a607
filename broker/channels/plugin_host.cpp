#include "broker/channels/plugin_host.hpp"

#include <algorithm>
#include <set>

#include "broker/channels/host_machinery.hpp"
#include "broker/channels/instance_maker.hpp"
#include "broker/channels/reloader.hpp"
#include "broker/channels/seat.hpp"

namespace godwit::channels {
namespace {

constexpr MonoNs kWatchEvery = 250 * kNsPerMs;
constexpr MonoNs kSecretsEvery = kNsPerSecond;

// Where a plugin that does not come back lives on. Nobody ever looks in here; it only keeps leak checkers quiet.
void leave_behind(std::unique_ptr<HostMachinery> machinery, Reloader::Seats seats) {
  static auto* graveyard = new std::vector<std::pair<HostMachinery*, Reloader::Seats>>;
  graveyard->emplace_back(machinery.release(), std::move(seats));
}

bool has_error(const std::vector<ChannelFault>& faults, size_t from) {
  return std::any_of(faults.begin() + static_cast<ptrdiff_t>(from), faults.end(),
                     [](const ChannelFault& f) { return !f.warning; });
}

class Host final : public PluginHost {
 public:
  Host(PluginHostOptions options, PluginHostPorts ports)
      : options_(std::move(options)),
        machinery_(std::make_unique<HostMachinery>(ports, options_)),
        maker_({options_.data_dir / "run" / "plugins", options_.plugin_dirs, options_.checker}, machinery_->view),
        reloader_(seats_, maker_, ports.clock,
                  {std::chrono::milliseconds(options_.ready_patience_ms),
                   std::chrono::milliseconds(options_.reload_drain_ms), patience()}) {}

  ~Host() override {
    stop(0);
    bool stuck = !machinery_->stop(patience());
    for (const auto& seat : seats_) stuck |= seat->is_stuck();
    if (stuck) leave_behind(std::move(machinery_), std::move(seats_));
  }

  // ---- life ----
  bool open(const std::vector<ChannelConfig>& channels, std::vector<ChannelFault>& faults) {
    const size_t before = faults.size();
    std::set<std::string> names;
    for (const ChannelConfig& config : channels) {
      if (!names.insert(config.name).second) faults.push_back({config.name, "", "two channels have this name"});
      std::unique_ptr<Instance> first =
          maker_.make(static_cast<ChannelNo>(seats_.size()), config, PresenceGate::Stand::serving, faults);
      if (first) seats_.push_back(std::make_unique<Seat>(config, std::move(first)));
    }
    if (has_error(faults, before)) return false;
    for (const auto& seat : seats_)
      if (seat->enabled)
        if (Result<void> made = seat->current()->create(); !made)
          faults.push_back({seat->name, made.error().where, made.error().message});
    return !has_error(faults, before);
  }

  std::vector<ChannelFault> start(ChannelSink& sink) override {
    std::vector<ChannelFault> faults;
    for (const auto& seat : seats_)
      if (seat->enabled)
        if (Result<void> started = seat->current()->start(sink); !started)
          faults.push_back({seat->name, started.error().where, started.error().message});
    machinery_->timers.every(kWatchEvery, [this] {
      const MonoNs now = machinery_->ports.clock.mono_ns();
      for_each_running([now](Instance& instance) { instance.watch(now); });
    });
    machinery_->timers.every(kSecretsEvery, [this] {
      machinery_->storing.post([this] { for_each_running([](Instance& instance) { instance.refresh_secrets(); }); });
    });
    reloader_.start(sink);
    return faults;
  }

  void reconfigure(std::vector<ChannelConfig> channels, Callback<void(std::vector<ChannelFault>)> done) override {
    reloader_.reconfigure(std::move(channels), std::move(done));
  }
  void reload(ChannelNo channel, Callback<void(ReloadReport)> done) override {
    reloader_.reload(channel, std::move(done));
  }

  std::vector<ChannelFault> stop(int64_t drain_ms) override {
    std::vector<ChannelFault> faults;
    if (std::exchange(stopped_, true)) return faults;
    reloader_.stop();
    if (drain_ms > 0) {
      const MonoNs deadline = machinery_->ports.clock.mono_ns() + drain_ms * kNsPerMs;
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(drain_ms);
      for_each_running([deadline](Instance& instance) { instance.begin_drain(deadline); });
      for_each_running([&](Instance& instance) {
        if (!instance.wait_drained(until))
          faults.push_back({instance.name(), "",
                            "was not drained after " + std::to_string(drain_ms) + " ms; what is open is unknown",
                            true});
      });
    }
    for_each_running([&](Instance& instance) {
      if (Result<void> ended = instance.stop(patience()); !ended)
        faults.push_back({instance.name(), "", ended.error().message});
    });
    return faults;
  }

  // ---- ChannelSet ----
  size_t size() const override { return seats_.size(); }
  ChannelStatus status(ChannelNo channel) const override { return seats_[channel]->status(); }
  std::optional<ChannelNo> find(std::string_view name) const override {
    for (size_t i = 0; i < seats_.size(); ++i)
      if (seats_[i]->name == name) return static_cast<ChannelNo>(i);
    return std::nullopt;
  }
  uint32_t credit(ChannelNo channel, MonoNs now) const override { return seats_[channel]->credit(now); }
  bool submit(ChannelNo channel, std::vector<std::shared_ptr<const Parcel>> parcels) override {
    return seats_[channel]->submit(std::move(parcels));
  }
  void cancel(ChannelNo channel, uint64_t cookie) override { seats_[channel]->cancel(cookie); }
  void recall(ChannelNo channel, RecallWish wish, Callback<void(RecallAnswer)> done) override {
    seats_[channel]->current()->recall(std::move(wish), std::move(done));
  }
  Result<WebhookReply> parse_webhook(ChannelNo channel, const WebhookRequest& request) override {
    return seats_[channel]->parse_webhook(request);
  }
  Result<Preview> preview(ChannelNo channel, const Parcel& parcel) override {
    return seats_[channel]->current()->preview(parcel);
  }
  void event_room(ChannelNo channel) override {
    seats_[channel]->for_each([](Instance& instance) { instance.event_room(); });
  }

  // ---- for people ----
  std::vector<ChannelDescription> describe() const override {
    std::vector<ChannelDescription> all;
    for (const auto& seat : seats_) all.push_back(seat->describe());
    return all;
  }
  void collect_metrics(const std::function<void(const MetricSample&)>& sink) const override {
    FigureSum sum;
    for (const auto& seat : seats_) seat->add_metrics(sum);
    sum.for_each(sink);
  }
  void turn_time() override { machinery_->timers.run_due(); }

 private:
  std::chrono::milliseconds patience() const { return std::chrono::milliseconds(options_.stop_patience_ms); }
  void for_each_running(const std::function<void(Instance&)>& visit) const {
    for (const auto& seat : seats_) seat->for_each(visit);
  }

  const PluginHostOptions options_;
  std::unique_ptr<HostMachinery> machinery_;
  InstanceMaker maker_;
  Reloader::Seats seats_;  // by ChannelNo; fixed once open
  Reloader reloader_;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<PluginHost> PluginHost::open(std::vector<ChannelConfig> channels, PluginHostOptions options,
                                             PluginHostPorts ports, std::vector<ChannelFault>& faults) {
  auto host = std::make_unique<Host>(std::move(options), std::move(ports));
  return host->open(channels, faults) ? std::move(host) : nullptr;
}

}  // namespace godwit::channels
