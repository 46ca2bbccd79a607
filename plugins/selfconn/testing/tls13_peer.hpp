// One direction of a TLS 1.3 connection as the other side has it: AES-128-GCM with the key schedule of OpenSSL
// (TLS13-KDF), so that our own is judged by another one. It seals whatever it is told to, also what nobody may send.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace selfconn::testing {

class Tls13Peer {
 public:
  using Bytes = std::vector<uint8_t>;

  // `secret`: the direction's traffic secret, 32 bytes.
  explicit Tls13Peer(Bytes secret);

  // A record of `type` and `content`, with as many zeros behind it.
  Bytes seal(uint8_t type, const Bytes& content, size_t padding = 0);

  struct Opened {
    uint8_t type;
    Bytes content;
  };
  // Takes the first record off `wire`; nothing when it is not whole. Fails the test when it cannot be opened.
  std::optional<Opened> open_next(Bytes& wire);

  // The next generation of keys, after a KeyUpdate.
  void update();

 private:
  Bytes expand(const char* label, size_t size) const;
  void derive();
  std::array<uint8_t, 12> next_nonce();

  Bytes secret_, key_, iv_;
  uint64_t sequence_ = 0;
};

}  // namespace selfconn::testing
