// Devices as their owners describe them: the whole state (PUT, POST), or a change to it (PATCH, RFC 7396).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/api/parse/faults.hpp"
#include "broker/base/result.hpp"
#include "broker/message/device.hpp"

namespace godwit {

// Unset: app, id, and everything that the registry keeps.
std::optional<Device> parse_device(std::string_view json, unsigned json_depth, Faults& faults);

struct LocationEdit {
  bool remove = false;
  std::optional<double> lat, lon;
};
struct ChannelEdit {
  std::string channel;
  bool remove = false;
  std::optional<std::string> token;  // nothing: keep what is there; empty: none
};

// A checked merge patch. Made on the thread that parsed it, applied on the one that owns the device.
struct DevicePatch {
  // Text members by their index in device_members(); an empty text removes.
  std::vector<std::pair<size_t, std::string>> texts;
  std::optional<LocationEdit> location;
  std::optional<std::vector<std::string>> tags;
  std::vector<ChannelEdit> channels;
  bool remove_channels = false;  // before `channels` is applied
};
std::optional<DevicePatch> parse_device_patch(std::string_view json, unsigned json_depth, Faults& faults);
// Fails, and then the device is half edited, when the result would not be a valid device.
Result<void> apply(const DevicePatch& patch, Device& device);

// Members that callers may set, and those that answers have besides.
std::span<const std::string_view> device_members();
std::span<const std::string_view> device_read_only_members();

}  // namespace godwit
