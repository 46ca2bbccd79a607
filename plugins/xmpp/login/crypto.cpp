#include "plugins/xmpp/login/crypto.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <godwit/hex.hpp>

#include <stdexcept>

namespace xmpp {
namespace {

const EVP_MD* md_of(Hash hash) {
  return hash == Hash::sha1 ? EVP_sha1() : EVP_sha256();
}
const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
unsigned char* bytes(std::string& s) {
  return reinterpret_cast<unsigned char*>(s.data());
}
void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL refuses ") + what);
}

}  // namespace

std::string digest(Hash hash, std::string_view data) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  require(EVP_Digest(data.data(), data.size(), bytes(out), &size, md_of(hash), nullptr) == 1, "a digest");
  out.resize(size);
  return out;
}

std::string hmac(Hash hash, std::string_view key, std::string_view data) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  require(HMAC(md_of(hash), key.data(), static_cast<int>(key.size()), bytes(data), data.size(), bytes(out), &size),
          "an HMAC");
  out.resize(size);
  return out;
}

std::string pbkdf2(Hash hash, std::string_view password, std::string_view salt, uint32_t iterations) {
  std::string out(hash == Hash::sha1 ? 20 : 32, '\0');
  require(
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes(salt), static_cast<int>(salt.size()),
                        static_cast<int>(iterations), md_of(hash), static_cast<int>(out.size()), bytes(out)) == 1,
      "PBKDF2");
  return out;
}

std::string base64(std::string_view data) {
  std::string out((data.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<size_t>(EVP_EncodeBlock(bytes(out), bytes(data), static_cast<int>(data.size()))));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > 64 * 1024) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  if (text.empty()) return out;
  const int size = EVP_DecodeBlock(bytes(out), bytes(text), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

std::string random_hex(size_t count) {
  std::string out(count, '\0');
  require(RAND_bytes(bytes(out), static_cast<int>(count)) == 1, "random bytes");
  return godwit::lower_hex(out);
}

}  // namespace xmpp
