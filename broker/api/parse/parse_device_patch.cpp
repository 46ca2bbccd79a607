#include <algorithm>

#include "broker/api/parse/device_fields.hpp"
#include "broker/api/parse/parse_device.hpp"

namespace godwit {
namespace {

using json::Value;
using namespace device_fields;

void parse_location_edit(Value value, const Place& place, DevicePatch& patch, Faults& faults) {
  LocationEdit& edit = patch.location.emplace();
  if (value.is_null()) {
    edit.remove = true;
    return;
  }
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  json::for_each_member(*object, place, kLocation, faults, [&](size_t which, Value v, const Place& here) {
    const double limit = which == 0 ? 90 : 180;
    double number = 0;
    if (json::read_number(v, here, -limit, limit, number, faults)) (which == 0 ? edit.lat : edit.lon) = number;
  });
}

void parse_channel_edits(Value value, const Place& place, DevicePatch& patch, Faults& faults) {
  if (value.is_null()) {
    patch.remove_channels = true;
    return;
  }
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  for (const auto member : *object) {
    const Place here(place, member.key);
    if (!check_channel(member.key, here, patch.channels.size(), faults)) return;
    ChannelEdit& edit = patch.channels.emplace_back();
    edit.channel = std::string(member.key);
    edit.remove = member.value.is_null();
    if (edit.remove) continue;
    const auto channel = json::read_object(member.value, here, faults);
    if (!channel) continue;
    json::for_each_member(*channel, here, kChannel, faults, [&](size_t, Value v, const Place& at) {
      edit.token.emplace();
      if (!v.is_null()) json::read_text(v, at, {1, kMaxToken}, *edit.token, faults);
    });
  }
}

void parse_text_edit(size_t which, Value value, const Place& place, DevicePatch& patch, Faults& faults) {
  std::string& text = patch.texts.emplace_back(which, std::string()).second;
  if (!value.is_null())
    read_device_text(which, value, place, text, faults);
  else if (which == kPlatformAt)
    faults.add(place, fault_codes::required, "a device needs a platform; it cannot be removed");
}

Result<void> apply_location(const LocationEdit& edit, Device& device) {
  if (edit.remove) {
    device.location.reset();
    return {};
  }
  if (!device.location && !(edit.lat && edit.lon) && (edit.lat || edit.lon))
    return Error{Code::invalid, "the device has no location yet: give lat and lon", "/location"};
  if (!device.location && !edit.lat) return {};  // {} changes nothing
  if (!device.location) device.location.emplace();
  if (edit.lat) device.location->lat = *edit.lat;
  if (edit.lon) device.location->lon = *edit.lon;
  return {};
}

Result<void> apply_channel(const ChannelEdit& edit, Device& device) {
  const auto it = std::find_if(device.channels.begin(), device.channels.end(),
                               [&](const DeviceChannel& c) { return c.channel == edit.channel; });
  if (edit.remove) {
    if (it != device.channels.end()) device.channels.erase(it);
    return {};
  }
  if (it == device.channels.end()) {
    if (device.channels.size() == kMaxChannels)
      return Error{Code::invalid, "a device has at most " + std::to_string(kMaxChannels) + " channels",
                   "/channels/" + edit.channel};
    device.channels.push_back({edit.channel, edit.token.value_or(""), false, 0});
  } else if (edit.token) {
    it->token = *edit.token;
    it->invalid = false;  // registered anew
  }
  return {};
}

}  // namespace

std::optional<DevicePatch> parse_device_patch(std::string_view json, unsigned json_depth, Faults& faults) {
  const auto root = json::parse(json, json_depth, faults);
  if (!root) return std::nullopt;
  const Place top;
  const auto object = json::read_object(*root, top, faults);
  if (!object) return std::nullopt;
  DevicePatch patch;
  for_each_device_member(*object, top, faults, [&](size_t which, Value v, const Place& here) {
    if (which < kTexts.size())
      parse_text_edit(which, v, here, patch, faults);
    else if (which == kLocationAt)
      parse_location_edit(v, here, patch, faults);
    else if (which == kTagsAt) {
      patch.tags.emplace();
      if (!v.is_null()) read_tags(v, here, *patch.tags, faults);
    } else
      parse_channel_edits(v, here, patch, faults);
  });
  if (!faults.empty()) return std::nullopt;
  return patch;
}

Result<void> apply(const DevicePatch& patch, Device& device) {
  for (const auto& [which, text] : patch.texts) device.*kTexts[which].field = text;
  if (patch.location)
    if (auto done = apply_location(*patch.location, device); !done) return done;
  if (patch.tags) device.tags = *patch.tags;
  if (patch.remove_channels) device.channels.clear();
  for (const auto& edit : patch.channels)
    if (auto done = apply_channel(edit, device); !done) return done;
  return {};
}

}  // namespace godwit
