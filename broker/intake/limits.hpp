// What intake must be told, and what it shares with the engine while both run.
#pragma once

#include <array>
#include <cstdint>

#include "broker/base/counter.hpp"

namespace godwit {

struct IntakeLimits {
  // Memory. Beyond max_open_deliveries intake answers `overloaded`; lower priorities earlier (70, 85, 95, 100 %).
  uint64_t max_open_deliveries = 1'000'000;
  uint64_t max_content_bytes = 1ull << 30;     // messages held in memory, finished ones included
  uint64_t max_idempotency_keys = 20'000'000;  // about 40 bytes each; beyond it the oldest hour is forgotten early

  int64_t idempotency_ms = 24 * 3600'000ll;  // how long a repeated key answers the first answer
  int64_t default_ttl_ms = 24 * 3600'000ll;  // for drafts that carry none
  int64_t max_ttl_ms = 28 * 24 * 3600'000ll;
  int64_t max_schedule_ms = 30 * 24 * 3600'000ll;  // how far ahead deliver_at may lie
  uint64_t seed = 1;                               // of ids, jitter and choices; ids mix in the time of start
};

struct IntakeStats {
  // Gauges. The first is written by intake and the engine, the next two by the engine: they decide who is let in.
  Counter accepts_on_their_way;  // submitted to the journal, not planned yet
  Counter open_deliveries, content_bytes;
  Counter idempotency_keys;

  std::array<Counter, 4> shed;    // refused for lack of room, by priority: overload_shed_total{priority}
  Counter repeated_accepts;       // answered with the first answer again
  Counter idempotency_forgotten;  // keys dropped before their time because the table was full
};

}  // namespace godwit
