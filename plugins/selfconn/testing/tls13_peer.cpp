#include "plugins/selfconn/testing/tls13_peer.hpp"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace selfconn::testing {
namespace {

constexpr size_t kHeader = 5, kTag = 16;

struct Free {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};

}  // namespace

Tls13Peer::Tls13Peer(Bytes secret) : secret_(std::move(secret)) {
  derive();
}

Tls13Peer::Bytes Tls13Peer::expand(const char* label, size_t size) const {
  EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "TLS13-KDF", nullptr);
  EVP_KDF_CTX* const context = EVP_KDF_CTX_new(kdf);
  EVP_KDF_free(kdf);
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  char digest[] = "SHA256", prefix[] = "tls13 ";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<uint8_t*>(secret_.data()), secret_.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix, 6),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, const_cast<char*>(label), std::strlen(label)),
      OSSL_PARAM_construct_end()};
  Bytes out(size);
  EXPECT_EQ(EVP_KDF_derive(context, out.data(), size, params), 1);
  EVP_KDF_CTX_free(context);
  return out;
}

void Tls13Peer::derive() {
  key_ = expand("key", 16);
  iv_ = expand("iv", 12);
  sequence_ = 0;
}

void Tls13Peer::update() {
  secret_ = expand("traffic upd", 32);
  derive();
}

std::array<uint8_t, 12> Tls13Peer::next_nonce() {
  std::array<uint8_t, 12> nonce;
  std::copy(iv_.begin(), iv_.end(), nonce.begin());
  for (size_t i = 0; i < 8; ++i) nonce[11 - i] ^= static_cast<uint8_t>(sequence_ >> (8 * i));
  ++sequence_;
  return nonce;
}

Tls13Peer::Bytes Tls13Peer::seal(uint8_t type, const Bytes& content, size_t padding) {
  Bytes inner = content;
  inner.push_back(type);
  inner.resize(inner.size() + padding);
  const size_t length = inner.size() + kTag;
  Bytes record = {23, 3, 3, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
  record.resize(kHeader + length);
  const std::unique_ptr<EVP_CIPHER_CTX, Free> c(EVP_CIPHER_CTX_new());
  int n = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(c.get(), EVP_aes_128_gcm(), nullptr, key_.data(), next_nonce().data()), 1);
  EXPECT_EQ(EVP_EncryptUpdate(c.get(), nullptr, &n, record.data(), kHeader), 1);
  EXPECT_EQ(EVP_EncryptUpdate(c.get(), record.data() + kHeader, &n, inner.data(), static_cast<int>(inner.size())), 1);
  EXPECT_EQ(EVP_EncryptFinal_ex(c.get(), record.data(), &n), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_AEAD_GET_TAG, kTag, record.data() + kHeader + inner.size()), 1);
  return record;
}

std::optional<Tls13Peer::Opened> Tls13Peer::open_next(Bytes& wire) {
  if (wire.size() < kHeader) return std::nullopt;
  const size_t length = static_cast<size_t>(wire[3]) << 8 | wire[4];
  if (wire.size() < kHeader + length || length <= kTag) return std::nullopt;
  Bytes inner(length - kTag);
  const std::unique_ptr<EVP_CIPHER_CTX, Free> c(EVP_CIPHER_CTX_new());
  int n = 0;
  EXPECT_EQ(EVP_DecryptInit_ex(c.get(), EVP_aes_128_gcm(), nullptr, key_.data(), next_nonce().data()), 1);
  EXPECT_EQ(EVP_DecryptUpdate(c.get(), nullptr, &n, wire.data(), kHeader), 1);
  EXPECT_EQ(EVP_DecryptUpdate(c.get(), inner.data(), &n, wire.data() + kHeader, static_cast<int>(inner.size())), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_AEAD_SET_TAG, kTag, wire.data() + kHeader + inner.size()), 1);
  EXPECT_EQ(EVP_DecryptFinal_ex(c.get(), inner.data(), &n), 1) << "a record of ours cannot be opened";
  wire.erase(wire.begin(), wire.begin() + static_cast<long>(kHeader + length));
  const uint8_t type = inner.back();
  inner.pop_back();
  return Opened{type, std::move(inner)};
}

}  // namespace selfconn::testing
