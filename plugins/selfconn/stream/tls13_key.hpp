// TrafficKey protects the records of one direction of a TLS 1.3 connection: RFC 8446, 5.2, 5.3, 7.2 and 7.3.
//
// 104 bytes and no heap: OpenSSL's cipher contexts (about 1 kB each) belong to the thread and are given the key for
// each record; the last one stays there until the thread's next record or its end. Bytes in, bytes out; one thread at a
// time. REQUIRES: records are given in the order of the connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace selfconn::tls13 {

enum class Aead : uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };

// The numbers of RFC 8446, B.4; nothing for the two CCM suites, which OpenSSL does not offer by itself.
std::optional<Aead> aead_of(uint16_t cipher_suite);

enum class Content : uint8_t { alert = 21, handshake = 22, data = 23 };

inline constexpr size_t kHeader = 5;
inline constexpr size_t kOverhead = kHeader + 1 + 16;  // header, content type, tag
inline constexpr size_t kMaxContent = 16 * 1024;
inline constexpr size_t kMaxCiphertext = kMaxContent + 256;

class TrafficKey {
 public:
  // `secret` is a traffic secret of the size of the suite's hash; `sequence` the number of its records so far.
  TrafficKey(Aead aead, std::span<const uint8_t> secret, uint64_t sequence);
  ~TrafficKey();  // leaves no key behind

  // Makes a record of the content that stands at record[kHeader], in place; returns its size.
  // REQUIRES: content_size <= kMaxContent, record.size() >= content_size + kOverhead.
  size_t seal(std::span<uint8_t> record, size_t content_size, Content type);

  struct Opened {
    Content type;
    std::span<uint8_t> content;  // a part of the record
  };
  // A whole record with its header, decrypted in place; nothing when it is not what the peer sealed next, or has no
  // content type.
  std::optional<Opened> open(std::span<uint8_t> record);

  // The next generation of keys, as KeyUpdate wants it.
  void update();
  uint64_t sequence() const { return sequence_; }

 private:
  void derive();
  std::array<uint8_t, 12> next_nonce();

  std::array<uint8_t, 48> secret_{};
  std::array<uint8_t, 32> key_{};
  std::array<uint8_t, 12> iv_{};
  Aead aead_;
  uint64_t sequence_;
};

}  // namespace selfconn::tls13
