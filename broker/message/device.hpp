// A device as its owner describes it (api.md §4) and as calls hand it around. The registry packs it for memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/clock.hpp"

namespace godwit {

struct Location {
  double lat = 0, lon = 0;
  bool operator==(const Location&) const = default;
};

// A channel that the device can be reached on. A channel without registration tokens (our own long connection) has an
// empty one.
struct DeviceChannel {
  std::string channel;  // the instance's name
  std::string token;
  bool invalid = false;  // the vendor said that the token is dead; kept for the record until the device registers again
  WallMs registered_ms = 0;  // when this token came here
  bool operator==(const DeviceChannel&) const = default;
};

struct Device {
  std::string app, id;
  std::string user_id;   // empty: not bound to a user
  std::string platform;  // ios | android | harmony | web | desktop | other
  std::string manufacturer, model, os_version, app_version, locale, timezone, network;
  std::optional<Location> location;
  std::vector<std::string> tags;
  std::vector<DeviceChannel> channels;

  uint64_t number = 0;      // the registry's stable number
  uint64_t version = 0;     // grows with each change
  uint32_t generation = 1;  // of its credentials: older ones are refused; begins with the second of its making
  WallMs created_ms = 0, updated_ms = 0;

  const std::string& subject() const { return user_id.empty() ? id : user_id; }
};

}  // namespace godwit
