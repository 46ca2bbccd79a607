// The inside of Engine: its mailbox, its two threads, and the Core that they work on. Only for engine.cpp and
// engine_calls.cpp.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "broker/base/mailbox.hpp"
#include "broker/engine/core.hpp"
#include "broker/engine/engine.hpp"

namespace godwit {

struct Engine::Impl {
  Impl(EngineOptions options, EngineParts parts)
      : clock(parts.clock),
        ledger(parts.ledger),
        limits(options),
        intake(limits, parts.clock, parts.ledger, stats, [this](intake::BatchPtr batch) { deliver(std::move(batch)); }),
        background(std::move(parts.background)),
        core(
            std::move(options), parts, stats, intake, [this](engine::Command c) { post(std::move(c)); },
            [this](Callback<void()> job) { run_in_background(std::move(job)); }) {}

  // Any thread. False once the engine has stopped: the command will not run.
  bool post(engine::Command command) {
    posting.fetch_add(1);
    const bool open = !closed.load();
    if (open) mailbox.put(std::move(command));
    posting.fetch_sub(1);
    return open;
  }

  void deliver(intake::BatchPtr batch) {
    if (post([batch](engine::Core& core) { core.on_batch(batch); })) return;
    // The engine is gone; what was stored is found by the next start.
    for (const auto& fresh : batch->fresh) batch->resolve(fresh.index, stopped());
    batch->release();
  }

  // A question of a front end: answered with `unavailable` when the engine is not there any more.
  template <class T, class F>
  void ask(Done<T> done, F f) {
    if (asking_closed) return done(stopped());
    auto shared = std::make_shared<Done<T>>(std::move(done));
    if (!post([shared, f = std::move(f)](engine::Core& core) mutable { f(core, std::move(*shared)); }))
      (*shared)(stopped());
  }
  static Error stopped() { return {Code::unavailable, "the broker is stopping", {}}; }

  bool turn(std::chrono::nanoseconds wait) {
    const bool any = mailbox.take(batch, wait);
    core.begin_turn(clock.mono_ns(), clock.wall_ms());
    for (engine::Command& command : batch) command(core);
    batch.clear();
    more = core.end_turn();
    return any || more;
  }

  void run();
  void finish();
  void run_in_background(Callback<void()> job);

  const Clock& clock;
  Ledger& ledger;
  EngineStats stats;
  const IntakeLimits limits;
  intake::Intake intake;
  std::function<void(Callback<void()>)> background;
  Mailbox<engine::Command> mailbox;
  std::atomic<int> posting{0};
  std::atomic<bool> closed{false}, asking_closed{false}, stopping{false};
  ChannelSet* channels = nullptr;  // set by attach(), before any thread

  // A subscriber's sink and whether it still wants to be called. Recursive: a sink may unsubscribe itself.
  struct Gate {
    std::recursive_mutex mutex;
    bool open = true;
  };
  static constexpr uint64_t kMostWaitingEvents = 200'000;
  std::atomic<uint64_t> waiting_events{0};
  std::atomic<uint32_t> turned_away{0};  // bits: channels whose events found no room

  std::atomic<uint64_t> next_subscription{1};
  std::mutex gates_mutex;  // guards gates
  std::map<uint64_t, std::shared_ptr<Gate>> gates;

  // The loop's own.
  engine::Core core;
  std::vector<engine::Command> batch;
  bool more = false;
  std::thread thread;
  std::atomic<bool> is_idle{true};

  Mailbox<Callback<void()>> jobs;
  std::atomic<bool> jobs_over{false};
  std::thread worker;
};

}  // namespace godwit
