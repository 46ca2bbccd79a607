// Packets as literals, so that a test shows exactly what is on the wire: hexadecimal digits, text in quotes, and a
// property block in brackets, which get its length in front: hex("0001 'a' [23 0001]"). packet(0x30, ...) adds the
// fixed header.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/selfconn/codec/cursor.hpp"

namespace godwit::mqtt::testing {

using Buffer = std::vector<uint8_t>;

inline Buffer hex(std::string_view text) {
  Buffer out;
  size_t block = 0;
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    throw std::invalid_argument(std::string("not a hexadecimal digit: ") + c);
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ' ') continue;
    if (text[at] == '[') {
      block = out.size();
      out.push_back(0);
      continue;
    }
    if (text[at] == ']') {
      out[block] = static_cast<uint8_t>(out.size() - block - 1);
      continue;
    }
    if (text[at] == '\'') {
      while (text[++at] != '\'') out.push_back(static_cast<uint8_t>(text[at]));
      continue;
    }
    const int high = digit(text[at++]);
    out.push_back(static_cast<uint8_t>(high << 4 | digit(text[at])));
  }
  return out;
}

inline Buffer packet(uint8_t first, const Buffer& body) {
  Buffer out(1 + varint_size(static_cast<uint32_t>(body.size())));
  Sink head(out.data());
  head.u8(first);
  head.varint(static_cast<uint32_t>(body.size()));
  out.insert(out.end(), body.begin(), body.end());
  return out;
}
inline Buffer packet(uint8_t first, std::string_view body) {
  return packet(first, hex(body));
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace godwit::mqtt::testing
