// Which texts may name things. The same rules hold in bodies, paths and query parameters.
#pragma once

#include <algorithm>
#include <string_view>

namespace godwit::names {

inline bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

inline bool made_of(std::string_view text, std::string_view others, size_t max) {
  return !text.empty() && text.size() <= max && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter_or_digit(c) || others.find(c) != others.npos;
  });
}

// Device ids are MQTT client ids and stand in paths.
inline bool is_device_id(std::string_view s) {
  return made_of(s, "._:@-", 64);
}
inline bool is_topic(std::string_view s) {
  return made_of(s, "._:@~-", 128);
}
inline bool is_channel(std::string_view s) {
  return made_of(s, "._-", 64);
}

inline bool has_control(std::string_view s) {
  return std::any_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}
// User ids come from people's own systems: any text without control characters.
inline bool is_user_id(std::string_view s) {
  return !s.empty() && s.size() <= 128 && !has_control(s);
}

inline constexpr std::string_view kDeviceIdRule = "must be 1 to 64 of A-Z a-z 0-9 . _ : @ -";
inline constexpr std::string_view kTopicRule = "must be 1 to 128 of A-Z a-z 0-9 . _ : @ ~ -";
inline constexpr std::string_view kChannelRule = "must be 1 to 64 of A-Z a-z 0-9 . _ -";
inline constexpr std::string_view kUserIdRule = "must be 1 to 128 bytes without control characters";

}  // namespace godwit::names
