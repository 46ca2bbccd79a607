// Device credentials: signed tokens that any node, and the long connection's gateway, checks without a look-up.
//
// Text form: gwd1.<base64url of key id, app, device, generation, expiry>.<base64url of the first 16 bytes of
// HMAC-SHA-256 over everything before that dot>. One credential has one spelling. Keys rotate by id: the newest signs,
// all known ones verify. Safe from any thread after construction.
//
// What a good credential does not say: whether the device still exists and its generation still holds. The registry
// knows (Device::generation), and the caller asks it where it matters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"

namespace godwit {

struct Credential {
  std::string app, device_id;
  uint32_t generation = 1;
  WallMs expires_ms = 0;  // the first millisecond at which it is refused
  bool operator==(const Credential&) const = default;
};

class CredentialSigner {
 public:
  static constexpr size_t kSecretBytes = 32;
  struct Key {
    uint8_t id;
    std::string secret;  // kSecretBytes
  };
  // Newest last. REQUIRES: at least one, ids differ, secrets of kSecretBytes.
  explicit CredentialSigner(std::vector<Key> keys);

  std::string sign(const Credential& credential) const;
  // Code::forbidden with a reason when the text is malformed, the MAC is wrong, the key unknown or the time over.
  Result<Credential> verify(std::string_view text, WallMs now) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace godwit
