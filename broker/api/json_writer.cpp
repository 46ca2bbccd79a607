#include "broker/api/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 256; ++c) plain[c] = c != '"' && c != '\\' && c != 0x7f;
  return plain;
}
constexpr auto kPlain = make_plain();

// The length of the UTF-8 sequence that starts here; 0 when it is broken.
size_t sequence(std::string_view text, size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  const size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  return at + n <= text.size() && is_valid_utf8(text.substr(at, n)) ? n : 0;
}

void append_repaired(std::string& out, std::string_view text) {
  std::string repaired;
  for (size_t at = 0; at < text.size();) {
    const size_t n = sequence(text, at);
    repaired.append(n ? text.substr(at, n) : std::string_view("\xef\xbf\xbd"));
    at += n ? n : 1;
  }
  append_json_string(out, repaired);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  unsigned char seen = 0;
  for (const char c : text) seen |= static_cast<unsigned char>(c);
  if (seen >= 0x80 && !is_valid_utf8(text)) return append_repaired(out, text);

  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (kPlain[c]) continue;
    out.append(text.substr(from, i - from));
    from = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text.substr(from));
  out += '"';
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  out.append(text, error == std::errc() ? static_cast<size_t>(end - text) : 0);
}

}  // namespace godwit
