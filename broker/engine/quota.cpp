// What a vendor leaves us of its quota. The event says how many sends remain and when counting begins anew; `limit`, or
// else the largest figure seen since the last reset, stands for the whole, and a period is taken for a day unless it is
// seen to be longer.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr int64_t kDayMs = 86'400'000;

}  // namespace

void Core::on_quota(ChannelSlot& slot, const std::string& payload) {
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object()) return;
  const auto number = [&](const char* name) {
    const auto it = json.find(name);
    return it != json.end() && it->is_number() ? it->get<double>() : -1.0;
  };
  const double remaining = number("remaining"), resets_at = number("resets_at_ms");
  if (remaining < 0) return;
  if (resets_at > 0 && static_cast<WallMs>(resets_at) != slot.quota.resets_at_ms) {
    slot.quota.resets_at_ms = static_cast<WallMs>(resets_at);
    slot.quota.whole = 0;
  }
  slot.quota.whole = std::max({slot.quota.whole, remaining, number("limit")});
  const double used = slot.quota.whole > 0 ? 1 - remaining / slot.quota.whole : 1;
  double elapsed = 0;
  if (slot.quota.resets_at_ms > wall_)
    elapsed = std::clamp(1 - static_cast<double>(slot.quota.resets_at_ms - wall_) / kDayMs, 0.0, 1.0);
  router_.quota(slot.route, used, elapsed);
}

void Core::reset_quota_if_over(ChannelSlot& slot) {
  if (slot.quota.resets_at_ms == 0 || wall_ < slot.quota.resets_at_ms) return;
  slot.quota = {};
  router_.quota(slot.route, 0, 0);
  unpark_all();
}

}  // namespace godwit::engine
