// EngineStats: the engine's counters and gauges, for broker/observe to export under the names of api.md §7.
//
// Plain atomics, written with relaxed order: by the engine's thread alone (`bump`, `set`), but `shed` by intake on any
// thread. Read from any thread. Apps and channels may be added while somebody reads: take each() for that.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "broker/base/counter.hpp"
#include "broker/channels/port.hpp"
#include "broker/intake/limits.hpp"
#include "broker/message/message.hpp"

namespace godwit {

struct EngineStats : IntakeStats {
  static constexpr size_t kStates = static_cast<size_t>(DeliveryState::cancelled) + 1;
  static constexpr size_t kDispositions = static_cast<size_t>(Disposition::expired) + 1;
  // Upper bounds in seconds of delivery_seconds; one more bucket counts what is slower.
  static constexpr std::array<double, 15> kDelayBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                          2.5,   5,    10,    30,   60,  600,  3600};

  struct App {
    std::string id;
    Counter accepted;                     // messages: messages_total{state="accepted"}
    std::array<Counter, kStates> states;  // deliveries that reached the state: messages_total{state=…}
  };
  struct Channel {
    std::string name;
    std::array<Counter, kDispositions> attempts;          // attempts_total{result}
    std::array<std::array<Counter, 4>, 3> receipts;       // receipts_total{kind: ReceiptSource, event: ReceiptEvent}
    std::array<Counter, kDelayBounds.size() + 1> delays;  // delivery_seconds, accept to receipt; not cumulated
    Counter delay_sum_ms;
    Counter queued;       // gauge: queue_depth{stage="channel"}
    Counter connections;  // gauge: devices online, of channels that know presence
    Counter in_flight;    // gauge
  };

  // Gauges by stage: queue_depth{stage}.
  Counter open_messages, finished_deliveries, scheduled_messages, fanouts;

  Counter final_system_failures;     // deliveries that failed after every retry and every channel
  Counter retries, retries_refused;  // refused: no retry token left
  Counter collapsed, checkpoints, carried, late_receipts, repeated_receipts, unknown_receipts;
  Counter turns;  // rounds of the engine's loop

  // Engine's thread. The reference stays valid.
  App& app(std::string_view id) {
    std::lock_guard lock(mutex_);
    for (App& a : apps_)
      if (a.id == id) return a;
    apps_.emplace_back().id = id;
    return apps_.back();
  }
  Channel& channel(std::string_view name) {
    std::lock_guard lock(mutex_);
    for (Channel& c : channels_)
      if (c.name == name) return c;
    channels_.emplace_back().name = name;
    return channels_.back();
  }

  // Any thread.
  template <class F>
  void each_app(F f) const {
    std::lock_guard lock(mutex_);
    for (const App& a : apps_) f(a);
  }
  template <class F>
  void each_channel(F f) const {
    std::lock_guard lock(mutex_);
    for (const Channel& c : channels_) f(c);
  }

 private:
  mutable std::mutex mutex_;  // guards growth of the two, not the counters in them
  std::deque<App> apps_;
  std::deque<Channel> channels_;
};

}  // namespace godwit
