#include "broker/channels/reloader.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "broker/base/thread.hpp"

namespace godwit::channels {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr milliseconds kPoll{5};
constexpr milliseconds kDoorTime{1000};
constexpr const char* kStopping = "the broker stops";

milliseconds since(Steady::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(Steady::now() - begin);
}

// What routing has built upon: a channel that can do something else is another channel to it.
std::string differences(const ChannelCaps& a, const ChannelCaps& b) {
  std::string text;
  const auto compare = [&](const char* what, bool same) {
    if (!same) text += (text.empty() ? "" : ", ") + std::string(what);
  };
  compare("kinds of receipts", a.receipt_kinds == b.receipt_kinds && a.webhook == b.webhook);
  compare("size of content", a.max_payload_bytes == b.max_payload_bytes);
  compare("targets of a message", a.max_targets == b.max_targets && a.multicast == b.multicast);
  compare("cost", a.metered == b.metered && a.cost_micro == b.cost_micro);
  compare("presence", a.presence == b.presence && a.owns_listener == b.owns_listener);
  ChannelCaps x = a, y = b;
  x.max_batch = y.max_batch = x.max_window = y.max_window = 0;  // the host's own affair
  if (text.empty() && !(x == y)) text = "flags";
  return text;
}

// `fault`: in words that name the field if one is to blame.
void blame(ReloadReport& report, const std::vector<ChannelFault>& faults) {
  for (const ChannelFault& fault : faults) {
    if (fault.warning) continue;
    if (report.text.empty()) report.pointer = fault.pointer;
    report.text += (report.text.empty() ? "" : "; ") + (fault.pointer.empty() ? "" : fault.pointer + " ") + fault.text;
  }
}

}  // namespace

void Reloader::start(ChannelSink& sink) {
  sink_ = &sink;
  std::lock_guard lock(mutex_);
  running_ = true;
  thread_ = start_thread("reload", [this] { run(); });
}

void Reloader::stop() {
  {
    std::lock_guard lock(mutex_);
    running_ = false;
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Reloader::post(Job job) {
  {
    std::lock_guard lock(mutex_);
    if (running_) jobs_.push_back(std::move(job));
  }
  if (job) job(true);
  changed_.notify_all();
}

void Reloader::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto has_work = [&] { return !jobs_.empty() || !running_; };
    if (leaving_.empty())
      changed_.wait(lock, has_work);
    else
      changed_.wait_for(lock, kPoll, has_work);
    if (jobs_.empty() && !running_) return;
    if (!jobs_.empty()) {
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job(is_stopping());
      job = {};
      lock.lock();
    }
    lock.unlock();
    look_after_leaving();
    lock.lock();
  }
}

// ---- what is asked ---------------------------------------------------------------------------------------------

void Reloader::reload(ChannelNo channel, Callback<void(ReloadReport)> done) {
  post([this, channel, done = std::move(done)](bool stopping) mutable {
    if (!stopping) return done(replace(channel, seats_[channel]->config()));
    ReloadReport report;
    report.text = kStopping;
    done(std::move(report));
  });
}

void Reloader::reconfigure(std::vector<ChannelConfig> channels, Callback<void(std::vector<ChannelFault>)> done) {
  post([this, channels = std::move(channels), done = std::move(done)](bool stopping) mutable {
    std::vector<ChannelFault> faults;
    for (const ChannelConfig& config : channels) {
      const auto seat =
          std::find_if(seats_.begin(), seats_.end(), [&](const auto& s) { return s->name == config.name; });
      if (seat == seats_.end())
        faults.push_back({config.name, "", "a new channel needs a restart"});
      else if (!stopping)
        reconfigure_one(static_cast<ChannelNo>(seat - seats_.begin()), config, faults);
    }
    for (const std::unique_ptr<Seat>& seat : seats_)
      if (std::none_of(channels.begin(), channels.end(), [&](const auto& c) { return c.name == seat->name; }))
        faults.push_back({seat->name, "", "removing a channel needs a restart"});
    done(std::move(faults));
  });
}

void Reloader::reconfigure_one(ChannelNo channel, const ChannelConfig& config, std::vector<ChannelFault>& faults) {
  Seat& seat = *seats_[channel];
  if (seat.config().isolation != config.isolation || seat.enabled != config.enabled) {
    faults.push_back({config.name, "", "a change of isolation or enabled needs a restart"});
    return;
  }
  const std::shared_ptr<Instance> current = seat.current();
  if (seat.config().plugin == config.plugin && !maker_.has_changed_on_disk(current->plugin(), config.plugin)) {
    std::optional<PreparedConfig> prepared = InstanceMaker::check(current->type(), config, faults);
    if (!prepared) return;
    if (current->change_to(*prepared).not_live.empty()) {
      if (Result<void> applied = current->reconfigure(std::move(*prepared)); !applied)
        faults.push_back({config.name, applied.error().where, applied.error().message});
      else
        seat.set_config(config);
      return;
    }
  }
  if (const ReloadReport report = replace(channel, config); !report.switched)
    faults.push_back({config.name, report.pointer,
                      "not reloaded, the running instance goes on; step `" + report.step + "`: " + report.text});
}

// ---- the steps -------------------------------------------------------------------------------------------------

ReloadReport Reloader::replace(ChannelNo channel, ChannelConfig config) {
  const Steady::time_point begin = Steady::now();
  Seat& seat = *seats_[channel];
  const std::shared_ptr<Instance> old = seat.current();
  ReloadReport report;
  report.version_before = old->type().version;
  report.library_before = old->plugin().sha256_hex;
  std::shared_ptr<Instance> fresh;
  if (seat.enabled) {
    prepare(channel, config, fresh, report);
  } else {
    report.step = "config";
    report.text = "the channel is disabled in the configuration; what changed takes effect with a restart";
  }
  if (fresh) {
    report.version_after = fresh->type().version;
    report.library_after = fresh->plugin().sha256_hex;
  }
  if (report.text.empty()) {
    report.step = "switch";
    seat.switch_to(fresh);
    if (!serve(*fresh)) spdlog::warn("[{}] its devices' presence waits until there is room for it", seat.name);
    old->begin_drain(clock_.mono_ns() + patience_.drain.count() * kNsPerMs);
    leaving_.push_back({channel, old, Steady::now()});
    seat.set_config(std::move(config));
    report.switched = true;
  } else if (fresh) {
    end(channel, fresh);
  }
  report.took_ms = since(begin).count();
  if (report.switched)
    spdlog::info("[{}] reloaded in {} ms: version {} ({:.8}) -> {} ({:.8}); the old instance drains", seat.name,
                 report.took_ms, report.version_before, report.library_before, report.version_after,
                 report.library_after);
  else
    spdlog::error("[{}] not reloaded, the running instance goes on; step {}: {}", seat.name, report.step, report.text);
  return report;
}

// On failure the report has a text; `fresh` is there from the moment at which it has to be stopped.
void Reloader::prepare(ChannelNo channel, const ChannelConfig& config, std::shared_ptr<Instance>& fresh,
                       ReloadReport& report) {
  std::vector<ChannelFault> faults;
  std::shared_ptr<Instance> made = maker_.make(channel, config, PresenceGate::Stand::waiting, faults);
  report.step = maker_.last_step();
  if (!made) return blame(report, faults);
  for (const ChannelFault& warning : faults) spdlog::warn("[{}] {} {}", config.name, warning.pointer, warning.text);
  const Instance& old = *seats_[channel]->current();
  fresh = std::move(made);
  if (fresh->type().id != old.type().id) {
    report.text =
        "it is a channel of type '" + fresh->type().id + "', not '" + old.type().id + "'; that needs a restart";
    return;
  }
  if (const std::string other = differences(old.caps(), fresh->caps()); !other.empty()) {
    report.text = "it can do other things than before (" + other + "); that needs a restart";
    return;
  }
  const auto failed = [&](const Result<void>& done) {
    if (done) return false;
    report.pointer = done.error().where;
    report.text = done.error().message;
    return true;
  };
  report.step = "create";
  if (failed(fresh->create())) return;
  report.step = "start";
  if (failed(fresh->start(*sink_))) return;
  report.step = "ready";
  wait_ready(*fresh, report);
}

void Reloader::wait_ready(const Instance& fresh, ReloadReport& report) {
  const Steady::time_point until = Steady::now() + patience_.ready;
  while (true) {
    const ChannelStatus status = fresh.status();
    if (status.state == ChannelState::ready) return;
    const std::string now_it_is = "it is " + std::string(to_string(status.state)) +
                                  (status.reason.empty() ? std::string() : " (" + status.reason + ")");
    if (is_stopping()) report.text = kStopping;
    if (status.state == ChannelState::failed) report.text = now_it_is;
    if (Steady::now() >= until)
      report.text = "not ready within " + std::to_string(patience_.ready.count()) + " ms: " + now_it_is;
    if (!report.text.empty()) return;
    look_after_leaving();
    std::this_thread::sleep_for(kPoll);
  }
}

// The engine has room again as soon as it has looked through its mail.
bool Reloader::serve(Instance& fresh) {
  while (!fresh.serve()) {
    if (is_stopping()) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

// ---- those that leave ------------------------------------------------------------------------------------------

void Reloader::look_after_leaving() {
  for (size_t i = 0; i < leaving_.size();) {
    const Leaving& one = leaving_[i];
    // At first the old one still takes in who is at its door.
    if (since(one.since) > kDoorTime) seats_[one.channel]->current()->dismiss_strays();
    const bool is_drained = one.instance->is_drained();
    if (!is_drained && since(one.since) < patience_.drain) {
      ++i;
      continue;
    }
    if (!is_drained)
      spdlog::warn("[{}] the old instance was not drained after {} ms; what is open is unknown", one.instance->name(),
                   patience_.drain.count());
    const Leaving gone = one;
    leaving_.erase(leaving_.begin() + static_cast<ptrdiff_t>(i));
    end(gone.channel, gone.instance);
    spdlog::info("[{}] the old instance has ended after {} ms", gone.instance->name(), since(gone.since).count());
  }
}

void Reloader::end(ChannelNo channel, const std::shared_ptr<Instance>& instance) {
  FigureSum counted;
  instance->collect_metrics([&](const MetricSample& sample) { counted.add(sample); });
  if (Result<void> ended = instance->stop(patience_.stop); !ended)
    spdlog::error("[{}] an instance that was replaced {}", instance->name(), ended.error().message);
  seats_[channel]->has_ended(instance, counted);
}

}  // namespace godwit::channels
