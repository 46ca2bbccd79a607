#include "plugins/xmpp/xml/escape.hpp"

#include <array>
#include <cstdint>

namespace xmpp {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes that may be copied as they are.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x7F; ++c)
    plain[static_cast<size_t>(c)] = c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
  plain['\t'] = plain['\n'] = true;
  return plain;
}();

// The length of the well-formed UTF-8 sequence at `at` whose character XML allows, or 0.
size_t sequence(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) -> uint32_t {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint32_t first = byte(0);
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    const uint32_t c = (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    return c < 0x800 || (c >= 0xD800 && c <= 0xDFFF) || c >= 0xFFFE ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    const uint32_t c = (first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    return c < 0x10000 || c > 0x10FFFF ? 0 : 4;
  }
  return 0;
}

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\r':
      return "&#13;";  // as it is, the reader would make a line feed of it
    case '\x7F':
      return "\x7F";
    default:
      return {};
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && kPlain[static_cast<unsigned char>(text[end])]) ++end;
    out.append(text.substr(at, end - at));
    at = end;
    if (at == text.size()) break;
    if (const std::string_view known = entity(text[at]); !known.empty()) {
      out.append(known);
      ++at;
    } else if (const size_t n = sequence(text, at); n > 0) {
      out.append(text.substr(at, n));
      at += n;
    } else {
      out.append(kReplacement);
      ++at;
    }
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_escaped(out, text);
  return out;
}

}  // namespace xmpp
