// What a timer of the engine's wheel is for: its payload is a kind and the number of the object that waits.
#pragma once

#include <cstdint>

namespace godwit::engine {

enum class TimerKind : uint8_t { delivery, message, inbox };

constexpr unsigned kTimerIxBits = 30;
constexpr uint32_t timer_payload(TimerKind kind, uint32_t ix) {
  return (static_cast<uint32_t>(kind) << kTimerIxBits) | ix;
}
constexpr TimerKind timer_kind(uint32_t payload) {
  return static_cast<TimerKind>(payload >> kTimerIxBits);
}
constexpr uint32_t timer_ix(uint32_t payload) {
  return payload & ((1u << kTimerIxBits) - 1);
}

}  // namespace godwit::engine
