#include "sign.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <godwit/hex.hpp>

#include <array>

namespace xinge {

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

std::string basic(std::string_view id, std::string_view secret) {
  return "Basic " + base64(std::string(id) + ":" + std::string(secret));
}

std::string tpns_sign(std::string_view secret, std::string_view timestamp, std::string_view access_id,
                      std::string_view body) {
  std::string text;
  text.reserve(timestamp.size() + access_id.size() + body.size());
  text.append(timestamp).append(access_id).append(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  return base64(godwit::lower_hex(digest.data(), length));
}

std::string v2_sign(std::string_view method, std::string_view host_and_path,
                    const std::map<std::string, std::string>& parameters, std::string_view secret) {
  std::string text;
  text.append(method).append(host_and_path);
  for (const auto& [name, value] : parameters) text.append(name).append("=").append(value);
  text.append(secret);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_md5(), nullptr);
  return godwit::lower_hex(digest.data(), length);
}

}  // namespace xinge
