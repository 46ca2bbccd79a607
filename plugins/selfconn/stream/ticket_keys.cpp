#include "plugins/selfconn/stream/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

namespace selfconn {

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(&newest_, sizeof newest_);
  OPENSSL_cleanse(&older_, sizeof older_);
}

// REQUIRES: mutex_ is held.
bool TicketKeys::rotate(Clock::time_point now) {
  if (newest_.is_set && now - newest_.born < kLife) return true;
  Key fresh{};
  if (RAND_bytes(fresh.name.data(), static_cast<int>(fresh.name.size())) != 1 ||
      RAND_bytes(fresh.cipher.data(), static_cast<int>(fresh.cipher.size())) != 1 ||
      RAND_bytes(fresh.mac.data(), static_cast<int>(fresh.mac.size())) != 1)
    return newest_.is_set;
  fresh.born = now;
  fresh.is_set = true;
  older_ = newest_;
  newest_ = fresh;
  OPENSSL_cleanse(&fresh, sizeof fresh);
  return true;
}

int TicketKeys::prepare(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal,
                        Clock::time_point now) {
  std::lock_guard lock(mutex_);
  if (!rotate(now)) return -1;
  if (seal) {
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    std::copy(newest_.name.begin(), newest_.name.end(), name);
    return use(newest_, iv, cipher, mac, true);
  }
  const auto is = [name](const Key& key) { return key.is_set && std::equal(key.name.begin(), key.name.end(), name); };
  if (is(newest_)) return use(newest_, iv, cipher, mac, false);
  if (!is(older_)) return 0;
  return use(older_, iv, cipher, mac, false) == 1 ? 2 : -1;
}

int TicketKeys::use(const Key& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal) {
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac.data()), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
      OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, params) != 1) return -1;
  const int done = seal ? EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv)
                        : EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv);
  return done == 1 ? 1 : -1;
}

}  // namespace selfconn
