// Clock is the only source of time in the broker: everything that waits or stamps takes one, so that tests turn
// a ManualClock by hand and a simulated week passes in seconds.
//
// Two times: `mono` never jumps and is for deadlines and durations; `wall` is for records and for people.
// Both are plain integers with their unit in the name, because they travel in journal records and the plugin ABI.
#pragma once

#include <atomic>
#include <cstdint>

namespace godwit {

using MonoNs = int64_t;  // nanoseconds since an arbitrary start; never goes back
using WallMs = int64_t;  // milliseconds since 1970-01-01 UTC

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

// Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoNs mono_ns() const = 0;
  virtual WallMs wall_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  MonoNs mono_ns() const override;
  WallMs wall_ms() const override;
};

// Stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallMs wall_ms = 1'790'000'000'000) : wall_ms_(wall_ms) {}
  MonoNs mono_ns() const override { return mono_ns_.load(); }
  WallMs wall_ms() const override { return wall_ms_.load(); }
  void advance_ms(int64_t ms) {
    mono_ns_ += ms * kNsPerMs;
    wall_ms_ += ms;
  }
  // The wall clock jumps (an operator, NTP); the monotonic one does not.
  void jump_wall_ms(int64_t ms) { wall_ms_ += ms; }

 private:
  std::atomic<MonoNs> mono_ns_{kNsPerSecond};
  std::atomic<WallMs> wall_ms_;
};

}  // namespace godwit
