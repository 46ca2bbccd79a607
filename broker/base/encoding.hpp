// Text encodings of bytes. Decoders answer nullopt for anything that the encoder would not have written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace godwit {

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64url(std::string_view bytes);  // RFC 4648 §5, no padding
std::optional<std::string> from_base64url(std::string_view text);

// RFC 3339 in UTC with milliseconds: 2026-11-21T08:00:00.000Z
std::string to_rfc3339(int64_t wall_ms);
std::optional<int64_t> from_rfc3339(std::string_view text);  // any offset, fraction optional; answers wall ms

std::string sha256(std::string_view bytes);                             // 32 raw bytes
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
bool equal_constant_time(std::string_view a, std::string_view b);
std::string random_bytes(size_t n);  // from OpenSSL; aborts if it cannot

bool is_valid_utf8(std::string_view text);

}  // namespace godwit
