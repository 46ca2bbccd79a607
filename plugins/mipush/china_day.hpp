// Xiaomi's quotas end at midnight in China: UTC+8, without daylight saving.
#pragma once

#include <cstdint>

namespace mipush {

constexpr uint64_t kDayLengthMs = 86'400'000, kChinaOffsetMs = 8 * 3'600'000;

constexpr uint64_t next_midnight_ms(uint64_t wall_ms) {
  return ((wall_ms + kChinaOffsetMs) / kDayLengthMs + 1) * kDayLengthMs - kChinaOffsetMs;
}
constexpr uint64_t china_day(uint64_t wall_ms) {
  return (wall_ms + kChinaOffsetMs) / kDayLengthMs;
}

}  // namespace mipush
