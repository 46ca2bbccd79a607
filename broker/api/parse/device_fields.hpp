// The members of a device, one table for the whole state and for patches. Included by parse_device*.cpp only.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/parse/json_reader.hpp"
#include "broker/message/device.hpp"

namespace godwit::device_fields {

struct Text {
  std::string_view name;
  std::string Device::*field;
  size_t max;
};
inline constexpr std::array<Text, 9> kTexts{{{"user_id", &Device::user_id, 128},
                                             {"platform", &Device::platform, 16},
                                             {"manufacturer", &Device::manufacturer, 64},
                                             {"model", &Device::model, 64},
                                             {"os_version", &Device::os_version, 32},
                                             {"app_version", &Device::app_version, 32},
                                             {"locale", &Device::locale, 35},
                                             {"timezone", &Device::timezone, 64},
                                             {"network", &Device::network, 32}}};
inline constexpr size_t kPlatformAt = 1, kLocationAt = 9, kTagsAt = 10, kChannelsAt = 11;
inline constexpr auto kMembers = [] {
  std::array<std::string_view, 12> out{};
  for (size_t i = 0; i < kTexts.size(); ++i) out[i] = kTexts[i].name;
  out[kLocationAt] = "location";
  out[kTagsAt] = "tags";
  out[kChannelsAt] = "channels";
  return out;
}();
// In answers; a caller who sends them back learns that they are not theirs to set.
inline constexpr std::array<std::string_view, 6> kReadOnly{"device_id", "created_at", "updated_at",
                                                           "version",   "credential", "connect"};
inline constexpr std::array<std::string_view, 2> kLocation{"lat", "lon"};
inline constexpr std::array<std::string_view, 1> kChannel{"token"};
inline constexpr std::array<std::string_view, 6> kPlatforms{"ios", "android", "harmony", "web", "desktop", "other"};
inline constexpr size_t kMaxToken = 4096, kMaxTags = 100, kMaxTag = 64, kMaxChannels = 16;

bool read_device_text(size_t which, json::Value value, const Place& place, std::string& out, Faults& faults);
void read_tags(json::Value value, const Place& place, std::vector<std::string>& out, Faults& faults);
// False when there are too many channels to go on.
bool check_channel(std::string_view name, const Place& place, size_t channels_so_far, Faults& faults);
bool is_read_only(const Place& place, std::string_view name, Faults& faults);

// As json::for_each_member, with a fault of its own for read-only members.
template <class Each>
uint64_t for_each_device_member(json::Object object, const Place& place, Faults& faults, Each each) {
  return json::for_each_member(object, place, kMembers, faults, each, [&](std::string_view name, const Place& here) {
    if (!is_read_only(here, name, faults)) json::unknown_member(here, name, kMembers, faults);
  });
}

}  // namespace godwit::device_fields
