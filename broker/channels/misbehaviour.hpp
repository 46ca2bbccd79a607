// Misbehaviour names and counts what a plugin does against its contract, at a limited rate: a plugin that settles
// everything twice must not fill the disk with log lines.
//
// Safe from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/base/clock.hpp"

namespace godwit::channels {

class Misbehaviour {
 public:
  Misbehaviour(std::string channel, const Clock& clock) : channel_(std::move(channel)), clock_(clock) {}

  // `kind` is a fixed word ("double-settle"); `text` says what happened. One line per kind and 10 s, with the number of
  // those that were left out.
  void note(const char* kind, std::string_view text);

  uint64_t total() const { return total_.load(); }

 private:
  struct Kind {
    MonoNs quiet_until = 0;
    uint64_t left_out = 0;
  };
  const std::string channel_;
  const Clock& clock_;
  std::atomic<uint64_t> total_{0};
  std::mutex mutex_;
  std::unordered_map<const char*, Kind> kinds_;  // guarded by mutex_; keys are literals
};

}  // namespace godwit::channels
