// DeviceFields: a device whose strings are borrowed, the one shape that codec, memory record and registry hand around.
//
// A reader keeps one and fills it again and again, so that loading a million rows allocates nothing for each. Whoever
// fills it keeps the bytes that the views point into.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "broker/message/device.hpp"

namespace godwit {

// What describes a device in few words that many devices share. The order is that of the row and record formats.
enum class Attribute : uint8_t {
  platform,
  manufacturer,
  model,
  os_version,
  app_version,
  locale,
  timezone,
  network,
};
constexpr size_t kAttributes = 8;

// More channels than any device has; bounds the work that one record can cause.
constexpr size_t kMaxChannels = 255;

struct ChannelFields {
  std::string_view channel, token;
  bool invalid = false;
  WallMs registered_ms = 0;

  bool is_live() const { return !invalid && !token.empty(); }
};

struct DeviceFields {
  std::string_view app, id, user_id;
  std::array<std::string_view, kAttributes> attributes;
  std::optional<Location> location;
  std::vector<std::string_view> tags;
  std::vector<ChannelFields> channels;
  std::vector<std::string_view> topics;
  uint64_t number = 0, version = 0;
  uint32_t generation = 1;
  WallMs created_ms = 0, updated_ms = 0;

  std::string_view& operator[](Attribute a) { return attributes[static_cast<size_t>(a)]; }
  std::string_view operator[](Attribute a) const { return attributes[static_cast<size_t>(a)]; }
  std::string_view subject() const { return user_id.empty() ? id : user_id; }

  ChannelFields* channel(std::string_view name) {
    for (ChannelFields& c : channels)
      if (c.channel == name) return &c;
    return nullptr;
  }

  // Empties everything and keeps the capacity.
  void clear();
  void borrow(const Device& device);  // all but the topics
  Device copy() const;
};

}  // namespace godwit
