#include "plugins/selfconn/stream/tls13_key.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>

namespace selfconn::tls13 {
namespace {

constexpr size_t kTag = 16;

bool uses_sha384(Aead aead) {
  return aead == Aead::aes_256_gcm;
}
size_t hash_size(Aead aead) {
  return uses_sha384(aead) ? 48 : 32;
}
size_t key_size(Aead aead) {
  return aead == Aead::aes_128_gcm ? 16 : 32;
}

const EVP_CIPHER* cipher_of(Aead aead) {
  switch (aead) {
    case Aead::aes_128_gcm:
      return EVP_aes_128_gcm();
    case Aead::aes_256_gcm:
      return EVP_aes_256_gcm();
    default:
      return EVP_chacha20_poly1305();
  }
}

// A thread's cipher contexts: made once, keyed anew for each record.
class Contexts {
 public:
  ~Contexts() {
    for (EVP_CIPHER_CTX* context : made_) EVP_CIPHER_CTX_free(context);
  }
  EVP_CIPHER_CTX* of(Aead aead, bool seals, const uint8_t* key, const uint8_t* nonce) {
    EVP_CIPHER_CTX*& context = made_[static_cast<size_t>(aead) * 2 + (seals ? 1 : 0)];
    const bool is_new = context == nullptr;
    if (is_new) context = EVP_CIPHER_CTX_new();
    if (!context ||
        EVP_CipherInit_ex(context, is_new ? cipher_of(aead) : nullptr, nullptr, key, nonce, seals ? 1 : 0) != 1)
      throw std::bad_alloc();
    return context;
  }

 private:
  std::array<EVP_CIPHER_CTX*, 6> made_{};
};

thread_local Contexts contexts;

// HKDF-Expand-Label with an empty context, for outputs of at most one hash: RFC 8446, 7.1 and RFC 5869, 2.3.
void expand_label(Aead aead, std::span<const uint8_t> secret, std::string_view label, std::span<uint8_t> out) {
  uint8_t info[32];
  size_t size = 0;
  info[size++] = static_cast<uint8_t>(out.size() >> 8);
  info[size++] = static_cast<uint8_t>(out.size());
  info[size++] = static_cast<uint8_t>(6 + label.size());
  std::memcpy(info + size, "tls13 ", 6);
  std::memcpy(info + size + 6, label.data(), label.size());
  size += 6 + label.size();
  info[size++] = 0;  // the context
  info[size++] = 1;  // the first block
  uint8_t block[EVP_MAX_MD_SIZE];
  unsigned made = 0;
  if (!HMAC(uses_sha384(aead) ? EVP_sha384() : EVP_sha256(), secret.data(), static_cast<int>(secret.size()), info, size,
            block, &made))
    throw std::runtime_error("HMAC is not available");
  assert(out.size() <= made);
  std::memcpy(out.data(), block, out.size());
  OPENSSL_cleanse(block, sizeof block);
}

}  // namespace

std::optional<Aead> aead_of(uint16_t cipher_suite) {
  switch (cipher_suite) {
    case 0x1301:
      return Aead::aes_128_gcm;
    case 0x1302:
      return Aead::aes_256_gcm;
    case 0x1303:
      return Aead::chacha20_poly1305;
    default:
      return std::nullopt;
  }
}

TrafficKey::TrafficKey(Aead aead, std::span<const uint8_t> secret, uint64_t sequence)
    : aead_(aead), sequence_(sequence) {
  assert(secret.size() == hash_size(aead));
  std::copy_n(secret.begin(), std::min(secret.size(), secret_.size()), secret_.begin());
  derive();
}

TrafficKey::~TrafficKey() {
  OPENSSL_cleanse(secret_.data(), secret_.size());
  OPENSSL_cleanse(key_.data(), key_.size());
  OPENSSL_cleanse(iv_.data(), iv_.size());
}

void TrafficKey::derive() {
  const auto secret = std::span<const uint8_t>(secret_).first(hash_size(aead_));
  expand_label(aead_, secret, "key", std::span(key_).first(key_size(aead_)));
  expand_label(aead_, secret, "iv", iv_);
}

void TrafficKey::update() {
  std::array<uint8_t, 48> next{};
  const size_t size = hash_size(aead_);
  expand_label(aead_, std::span<const uint8_t>(secret_).first(size), "traffic upd", std::span(next).first(size));
  secret_ = next;
  OPENSSL_cleanse(next.data(), next.size());
  sequence_ = 0;
  derive();
}

std::array<uint8_t, 12> TrafficKey::next_nonce() {
  std::array<uint8_t, 12> nonce = iv_;
  for (size_t i = 0; i < 8; ++i) nonce[11 - i] ^= static_cast<uint8_t>(sequence_ >> (8 * i));
  ++sequence_;
  return nonce;
}

size_t TrafficKey::seal(std::span<uint8_t> record, size_t content_size, Content type) {
  assert(content_size <= kMaxContent && record.size() >= content_size + kOverhead);
  const size_t inner = content_size + 1;
  const size_t length = inner + kTag;
  record[0] = static_cast<uint8_t>(Content::data);  // the true type is inside
  record[1] = record[2] = 3;
  record[3] = static_cast<uint8_t>(length >> 8);
  record[4] = static_cast<uint8_t>(length);
  uint8_t* const at = record.data() + kHeader;
  at[content_size] = static_cast<uint8_t>(type);
  EVP_CIPHER_CTX* const c = contexts.of(aead_, true, key_.data(), next_nonce().data());
  int n = 0;
  if (EVP_EncryptUpdate(c, nullptr, &n, record.data(), kHeader) != 1 ||
      EVP_EncryptUpdate(c, at, &n, at, static_cast<int>(inner)) != 1 || EVP_EncryptFinal_ex(c, at + inner, &n) != 1 ||
      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, kTag, at + inner) != 1)
    throw std::runtime_error("a record cannot be encrypted");
  return kHeader + length;
}

std::optional<TrafficKey::Opened> TrafficKey::open(std::span<uint8_t> record) {
  if (record.size() < kOverhead || record.size() > kHeader + kMaxCiphertext) return std::nullopt;
  uint8_t* const at = record.data() + kHeader;
  size_t inner = record.size() - kHeader - kTag;
  EVP_CIPHER_CTX* const c = contexts.of(aead_, false, key_.data(), next_nonce().data());
  int n = 0;
  if (EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, kTag, at + inner) != 1 ||
      EVP_DecryptUpdate(c, nullptr, &n, record.data(), kHeader) != 1 ||
      EVP_DecryptUpdate(c, at, &n, at, static_cast<int>(inner)) != 1 || EVP_DecryptFinal_ex(c, at + inner, &n) != 1)
    return std::nullopt;
  while (inner > 0 && at[inner - 1] == 0) --inner;  // padding
  if (inner == 0) return std::nullopt;
  return Opened{static_cast<Content>(at[inner - 1]), {at, inner - 1}};
}

}  // namespace selfconn::tls13
