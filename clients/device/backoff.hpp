// Backoff says when to try to connect again: a random time below a bound that doubles ("full jitter"), so that a
// million devices that lost one server do not come back in one second.
//
// One thread; time is a parameter, randomness is seeded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

namespace godwit::device {

class Backoff {
 public:
  static constexpr int64_t kBaseMs = 1000, kCapMs = 300'000, kForegroundCapMs = 60'000;
  static constexpr int64_t kAfterServerClosedMs = 30'000;  // it sends everybody away: spread
  static constexpr int64_t kStableMs = 60'000;

  explicit Backoff(uint64_t seed) : random_(seed) {}

  void connected(int64_t now_ms) { connected_ms_ = now_ms; }

  // The wait in milliseconds after a connection or an attempt has ended.
  int64_t next(int64_t now_ms, bool was_connected, bool is_foreground) {
    if (was_connected && now_ms - connected_ms_ >= kStableMs) attempts_ = 0;
    const int64_t cap = is_foreground ? kForegroundCapMs : kCapMs;
    const int64_t bound = std::min(cap, kBaseMs << std::min(attempts_, 20));
    ++attempts_;
    return std::uniform_int_distribution<int64_t>(0, bound)(random_);
  }
  int64_t after_server_closed() { return std::uniform_int_distribution<int64_t>(0, kAfterServerClosedMs)(random_); }
  void at_once() { attempts_ = 0; }

 private:
  std::mt19937_64 random_;
  int attempts_ = 0;
  int64_t connected_ms_ = 0;
};

}  // namespace godwit::device
