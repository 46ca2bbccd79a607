// Bytes as lower-case hexadecimal digits, two a byte: what vendors' signatures and ids are made of.
#pragma once

#include <string>
#include <string_view>

namespace godwit {
inline namespace sdk {

inline std::string lower_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}
// Digests, which OpenSSL writes as unsigned characters.
inline std::string lower_hex(const unsigned char* bytes, size_t count) {
  return lower_hex(std::string_view(reinterpret_cast<const char*>(bytes), count));
}

}  // namespace sdk
}  // namespace godwit
