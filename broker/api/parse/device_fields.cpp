#include "broker/api/parse/device_fields.hpp"

#include <algorithm>

#include "broker/api/parse/names.hpp"

namespace godwit::device_fields {

bool read_device_text(size_t which, json::Value value, const Place& place, std::string& out, Faults& faults) {
  if (which != kPlatformAt) return json::read_text(value, place, {1, kTexts[which].max}, out, faults);
  size_t choice = 0;
  if (!json::read_choice(value, place, kPlatforms, choice, faults)) return false;
  out = kPlatforms[choice];
  return true;
}

void read_tags(json::Value value, const Place& place, std::vector<std::string>& out, Faults& faults) {
  const auto list = json::read_array(value, place, kMaxTags, faults);
  if (!list) return;
  size_t i = 0;
  for (const json::Value item : *list) {
    std::string tag;
    if (json::read_text(item, Place(place, i++), {1, kMaxTag}, tag, faults) &&
        std::find(out.begin(), out.end(), tag) == out.end())
      out.push_back(std::move(tag));
  }
}

bool check_channel(std::string_view name, const Place& place, size_t channels_so_far, Faults& faults) {
  if (channels_so_far == kMaxChannels) {
    faults.add(place, fault_codes::length, "a device has at most " + std::to_string(kMaxChannels) + " channels");
    return false;
  }
  if (!names::is_channel(name))
    faults.add(place, fault_codes::format, "a channel's name " + std::string(names::kChannelRule));
  return true;
}

bool is_read_only(const Place& place, std::string_view name, Faults& faults) {
  if (std::find(kReadOnly.begin(), kReadOnly.end(), name) == kReadOnly.end()) return false;
  faults.add(place, fault_codes::read_only, "is set by the broker; leave it out");
  return true;
}

}  // namespace godwit::device_fields
