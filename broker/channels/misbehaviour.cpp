#include "broker/channels/misbehaviour.hpp"

#include <spdlog/spdlog.h>

namespace godwit::channels {
namespace {

constexpr MonoNs kQuietNs = 10 * kNsPerSecond;

}  // namespace

void Misbehaviour::note(const char* kind, std::string_view text) {
  ++total_;
  uint64_t left_out = 0;
  {
    std::lock_guard lock(mutex_);
    Kind& k = kinds_[kind];
    const MonoNs now = clock_.mono_ns();
    if (now < k.quiet_until) {
      ++k.left_out;
      return;
    }
    k.quiet_until = now + kQuietNs;
    left_out = std::exchange(k.left_out, 0);
  }
  if (left_out > 0)
    spdlog::warn("[{}] plugin-misbehaving {}: {} ({} more since the last line)", channel_, kind, text, left_out);
  else
    spdlog::warn("[{}] plugin-misbehaving {}: {}", channel_, kind, text);
}

}  // namespace godwit::channels
