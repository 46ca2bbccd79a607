// The few pieces of cryptography that signing in needs, over OpenSSL. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

enum class Hash : uint8_t { sha1, sha256 };

std::string digest(Hash hash, std::string_view data);
std::string hmac(Hash hash, std::string_view key, std::string_view data);
std::string pbkdf2(Hash hash, std::string_view password, std::string_view salt, uint32_t iterations);

std::string base64(std::string_view data);
// Nothing when it is not base64 with its padding.
std::optional<std::string> from_base64(std::string_view text);

// `bytes` of the system's randomness, as hexadecimal digits.
std::string random_hex(size_t bytes);

}  // namespace xmpp
