#include <algorithm>

#include "broker/base/thread.hpp"
#include "broker/engine/engine_impl.hpp"

namespace godwit {

using engine::Core;

Engine::Engine(EngineOptions options, EngineParts parts)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(parts))) {}
Engine::~Engine() {
  stop();
}

void Engine::attach(ChannelSet& channels) {
  impl_->channels = &channels;
  impl_->core.attach(channels);
}
Result<RecoveryReport> Engine::recover() {
  return impl_->core.recover();
}

void Engine::start() {
  impl_->thread = start_thread("engine", [impl = impl_.get()] { impl->run(); });
}

void Engine::Impl::run() {
  while (!stopping) {
    const MonoNs quiet = core.quiet_until() - clock.mono_ns();
    turn(std::chrono::nanoseconds(more ? 0 : std::clamp<MonoNs>(quiet, 0, 100 * kNsPerMs)));
    is_idle.store(core.idle(), std::memory_order_relaxed);
  }
  finish();
}

// The last round: everything that was asked is answered, everything that was learned is written.
void Engine::Impl::finish() {
  while (turn(std::chrono::nanoseconds(0))) {
  }
  core.prepare_stop();
  auto written = std::make_shared<std::atomic<bool>>(false);
  core.checkpoint([written] { *written = true; });
  // The checkpoint's records come behind all others in the ledger, so its end is theirs too.
  const MonoNs limit = clock.mono_ns() + 10 * kNsPerSecond;
  while (!*written && !ledger.poisoned() && clock.mono_ns() < limit) turn(std::chrono::milliseconds(5));
  closed = true;
  while (posting > 0) std::this_thread::yield();
  while (turn(std::chrono::nanoseconds(0))) {
  }
  core.close();
}

void Engine::stop() {
  if (impl_->asking_closed.exchange(true)) return;
  impl_->intake.close();
  impl_->stopping = true;
  impl_->mailbox.poke();
  if (impl_->thread.joinable())
    impl_->thread.join();
  else
    impl_->finish();
  impl_->jobs_over = true;
  impl_->jobs.poke();
  if (impl_->worker.joinable()) impl_->worker.join();
}

void Engine::Impl::run_in_background(Callback<void()> job) {
  if (background) return background(std::move(job));
  // Only the engine's thread asks, so the worker is started without a lock, and not before it is needed.
  if (!worker.joinable())
    worker = start_thread("engine-slow", [this] {
      std::vector<Callback<void()>> taken;
      while (true) {
        const bool any = jobs.take(taken, std::chrono::seconds(1));
        for (auto& j : taken) j();
        if (!any && jobs_over) return;
      }
    });
  jobs.put(std::move(job));
}

void Engine::drain() {
  impl_->intake.close();
}
void Engine::set_space(SpaceLevel level) {
  impl_->intake.set_space(level);
}
bool Engine::idle() const {
  return impl_->is_idle && impl_->stats.accepts_on_their_way.value() == 0;
}
bool Engine::poisoned() const {
  return impl_->ledger.poisoned();
}
void Engine::reconfigure(std::vector<AppOptions> apps) {
  impl_->post([apps = std::move(apps)](Core& core) mutable { core.reconfigure(std::move(apps)); });
}
const EngineStats& Engine::stats() const {
  return impl_->stats;
}
bool Engine::turn() {
  const bool any = impl_->turn(std::chrono::nanoseconds(0));
  impl_->is_idle = impl_->core.idle();
  return any;
}
engine::Core& Engine::core() {
  return impl_->core;
}

// ---- ChannelSink

void Engine::settled(std::vector<Settlement> settlements) {
  impl_->post([settlements = std::move(settlements)](Core& core) { core.on_settled(settlements); });
}
// Events wait in the mailbox; when too many do, a plugin keeps its own and is told when there is room again.
bool Engine::events(std::vector<ChannelEvent> events) {
  Impl& p = *impl_;
  const uint64_t n = events.size();
  if (p.waiting_events.fetch_add(n) + n > Impl::kMostWaitingEvents) {
    p.waiting_events -= n;
    for (const ChannelEvent& event : events) p.turned_away |= 1u << (event.channel & 31);
    return false;
  }
  return p.post([this, n, events = std::move(events)](Core& core) {
    core.on_events(events);
    Impl& p = *impl_;
    if (p.waiting_events.fetch_sub(n) - n > Impl::kMostWaitingEvents / 2 || p.turned_away == 0) return;
    const uint32_t channels = p.turned_away.exchange(0);
    for (unsigned no = 0; no < 32; ++no)
      if (channels & (1u << no)) p.channels->event_room(static_cast<ChannelNo>(no));
  });
}
void Engine::room(ChannelNo channel) {
  impl_->post([channel](Core& core) { core.on_room(channel); });
}

}  // namespace godwit
