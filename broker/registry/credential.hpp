// Device credentials: signed tokens that any node, and the long connection's gateway, checks without a look-up.
//
// Text form: gwd1.<base64url of key id, app, device, generation, expiry>.<base64url of the first 16 bytes of
// HMAC-SHA-256>. Keys rotate by id: the newest signs, all known ones verify. Safe from any thread after construction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"

namespace godwit {

struct Credential {
  std::string app, device_id;
  uint32_t generation = 1;
  WallMs expires_ms = 0;
};

class CredentialSigner {
 public:
  struct Key {
    uint8_t id;
    std::string secret;  // 32 bytes
  };
  explicit CredentialSigner(std::vector<Key> keys);  // newest last

  std::string sign(const Credential& credential) const;
  // Code::forbidden with a reason when the text is malformed, the MAC is wrong, the key unknown or the time over.
  Result<Credential> verify(std::string_view text, WallMs now) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace godwit
