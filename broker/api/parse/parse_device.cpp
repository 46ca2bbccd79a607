#include "broker/api/parse/parse_device.hpp"

#include <algorithm>
#include <array>

#include "broker/api/parse/device_fields.hpp"

namespace godwit {
namespace {

using json::Value;
using namespace device_fields;

std::optional<Location> parse_location(Value value, const Place& place, Faults& faults) {
  const auto object = json::read_object(value, place, faults);
  if (!object) return std::nullopt;
  Location out;
  const uint64_t seen =
      json::for_each_member(*object, place, kLocation, faults, [&](size_t which, Value v, const Place& here) {
        which == 0 ? json::read_number(v, here, -90, 90, out.lat, faults)
                   : json::read_number(v, here, -180, 180, out.lon, faults);
      });
  for (size_t i = 0; i < kLocation.size(); ++i)
    if (!(seen >> i & 1)) faults.add(Place(place, kLocation[i]), fault_codes::required, "is missing");
  return out;
}

void parse_channels(Value value, const Place& place, std::vector<DeviceChannel>& out, Faults& faults) {
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  for (const auto member : *object) {
    const Place here(place, member.key);
    if (!check_channel(member.key, here, out.size(), faults)) return;
    const auto channel = json::read_object(member.value, here, faults);
    if (!channel) continue;
    if (std::any_of(out.begin(), out.end(), [&](const DeviceChannel& c) { return c.channel == member.key; })) {
      faults.add(here, fault_codes::duplicate, "is given twice");
      continue;
    }
    DeviceChannel& kept = out.emplace_back();
    kept.channel = std::string(member.key);
    json::for_each_member(*channel, here, kChannel, faults, [&](size_t, Value v, const Place& at) {
      json::read_text(v, at, {1, kMaxToken}, kept.token, faults);
    });
  }
}

}  // namespace

std::optional<Device> parse_device(std::string_view json, unsigned json_depth, Faults& faults) {
  const auto root = json::parse(json, json_depth, faults);
  if (!root) return std::nullopt;
  const Place top;
  const auto object = json::read_object(*root, top, faults);
  if (!object) return std::nullopt;
  Device device;
  const uint64_t seen = for_each_device_member(*object, top, faults, [&](size_t which, Value v, const Place& here) {
    if (which < kTexts.size())
      read_device_text(which, v, here, device.*kTexts[which].field, faults);
    else if (which == kLocationAt)
      device.location = parse_location(v, here, faults);
    else if (which == kTagsAt)
      read_tags(v, here, device.tags, faults);
    else
      parse_channels(v, here, device.channels, faults);
  });
  if (!(seen >> kPlatformAt & 1)) faults.add(Place(top, "platform"), fault_codes::required, "is missing");
  if (!faults.empty()) return std::nullopt;
  return device;
}

std::span<const std::string_view> device_members() {
  return kMembers;
}
std::span<const std::string_view> device_read_only_members() {
  return kReadOnly;
}

}  // namespace godwit
