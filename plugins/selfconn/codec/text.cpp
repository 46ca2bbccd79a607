#include "plugins/selfconn/codec/text.hpp"

#include <cstdint>
#include <cstring>

namespace godwit::mqtt {
namespace {

// Decodes one code point that starts at text[at] and moves `at` behind it. False when it is not well-formed.
bool next_code_point(std::string_view text, size_t& at, uint32_t& point) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const uint8_t lead = byte(0);
  size_t more;
  uint32_t least;
  if (lead < 0x80) {
    point = lead;
    ++at;
    return true;
  } else if (lead >= 0xC2 && lead < 0xE0) {
    more = 1, least = 0x80, point = lead & 0x1Fu;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    more = 2, least = 0x800, point = lead & 0x0Fu;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    more = 3, least = 0x10000, point = lead & 0x07u;
  } else {
    return false;
  }
  if (text.size() - at <= more) return false;
  for (size_t i = 1; i <= more; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return false;
    point = point << 6 | (byte(i) & 0x3Fu);
  }
  at += more + 1;
  return point >= least && point <= 0x10FFFF && !(point >= 0xD800 && point < 0xE000);
}

bool is_non_character(uint32_t point) {
  return (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
}
bool is_control(uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

// Most strings are ASCII: eight bytes at a time without a NUL or a high bit.
size_t plain_prefix(std::string_view text) {
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const uint64_t has_zero = (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
    if ((word & 0x8080808080808080u) | has_zero) break;
  }
  return at;
}

}  // namespace

bool is_mqtt_text(std::string_view text) {
  uint32_t point = 0;
  for (size_t at = plain_prefix(text); at < text.size();)
    if (!next_code_point(text, at, point) || point == 0) return false;
  return true;
}

bool is_name(std::string_view text) {
  uint32_t point = 0;
  for (size_t at = 0; at < text.size();)
    if (!next_code_point(text, at, point) || is_control(point) || is_non_character(point)) return false;
  return true;
}

bool is_topic(std::string_view text) {
  return !text.empty() && text.find_first_of("+#") == std::string_view::npos && is_name(text);
}

bool is_shared_filter(std::string_view text) {
  return text.starts_with("$share/");
}

bool is_filter(std::string_view text) {
  if (!is_name(text)) return false;
  if (is_shared_filter(text)) {
    text.remove_prefix(7);
    const size_t slash = text.find('/');
    if (slash == 0 || slash == std::string_view::npos) return false;
    if (text.substr(0, slash).find_first_of("+#") != std::string_view::npos) return false;
    text.remove_prefix(slash + 1);
  }
  if (text.empty()) return false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '+' && text[at] != '#') continue;
    const bool starts_level = at == 0 || text[at - 1] == '/';
    const bool last = at + 1 == text.size();
    if (!starts_level) return false;
    if (text[at] == '#' ? !last : !(last || text[at + 1] == '/')) return false;
  }
  return true;
}

}  // namespace godwit::mqtt
