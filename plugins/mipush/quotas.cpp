#include "quotas.hpp"

#include <algorithm>

#include <godwit/json.hpp>

#include "china_day.hpp"

namespace mipush {
namespace {

std::string payload(const std::string& channel_id, const std::optional<DayQuota>& quota, bool used_up,
                    uint64_t wall_ms) {
  godwit::Json event = {{"remaining", 0}, {"resets_at_ms", next_midnight_ms(wall_ms)}};
  if (quota) {
    event["limit"] = quota->quota;
    if (!used_up) event["remaining"] = std::max<int64_t>(0, quota->quota - quota->acked);
  }
  if (!channel_id.empty()) event["class"] = channel_id;
  return event.dump();
}

}  // namespace

Quotas::Day& Quotas::today(const std::string& channel_id, uint64_t wall_ms) {
  Day& day = classes_[channel_id];
  if (day.day != china_day(wall_ms)) day = {china_day(wall_ms), 0, -1, false};
  return day;
}

std::optional<std::string> Quotas::heard(const std::string& channel_id, const DayQuota& quota, uint64_t wall_ms) {
  Day& day = today(channel_id, wall_ms);
  const int tenth = static_cast<int>(std::clamp<int64_t>(quota.acked / std::max<int64_t>(1, quota.quota / 10), 0, 10));
  if (tenth <= day.told_tenth && quota.quota == day.quota) return std::nullopt;
  day.told_tenth = tenth;
  day.quota = quota.quota;
  return payload(channel_id, quota, false, wall_ms);
}

std::optional<std::string> Quotas::used_up(const std::string& channel_id, std::optional<DayQuota> quota,
                                           uint64_t wall_ms) {
  Day& day = today(channel_id, wall_ms);
  if (std::exchange(day.used_up, true)) return std::nullopt;
  return payload(channel_id, quota, true, wall_ms);
}

bool Quotas::is_used_up(const std::string& channel_id, uint64_t wall_ms) const {
  const auto it = classes_.find(channel_id);
  return it != classes_.end() && it->second.used_up && it->second.day == china_day(wall_ms);
}

}  // namespace mipush
