#include "broker/registry/credential.hpp"

#include <algorithm>
#include <cassert>

#include "broker/base/bytes.hpp"
#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

constexpr std::string_view kPrefix = "gwd1.";
constexpr size_t kMacBytes = 16;
// Far above what ids of the API's lengths need; a longer text is not worth a hash.
constexpr size_t kMaxText = 4096;

std::string mac(const CredentialSigner::Key& key, std::string_view signed_text) {
  return to_base64url(std::string_view(hmac_sha256(key.secret, signed_text)).substr(0, kMacBytes));
}

Error refused(std::string why) {
  return Error{Code::forbidden, std::move(why), "device credential"};
}

Error malformed() {
  return refused("the text is not a device credential; use `credential` of the registration's answer as it is");
}

}  // namespace

CredentialSigner::CredentialSigner(std::vector<Key> keys) : keys_(std::move(keys)) {
  assert(!keys_.empty());
  assert(std::all_of(keys_.begin(), keys_.end(), [](const Key& k) { return k.secret.size() == kSecretBytes; }));
}

std::string CredentialSigner::sign(const Credential& credential) const {
  const Key& newest = keys_.back();
  std::string payload;
  ByteWriter out(payload);
  out.u8(newest.id);
  out.str(credential.app);
  out.str(credential.device_id);
  out.varint(credential.generation);
  out.zigzag(credential.expires_ms);
  std::string text = std::string(kPrefix) + to_base64url(payload);
  return text + "." + mac(newest, text);
}

Result<Credential> CredentialSigner::verify(std::string_view text, WallMs now) const {
  if (text.size() > kMaxText || !text.starts_with(kPrefix)) return malformed();
  const size_t dot = text.rfind('.');
  if (dot < kPrefix.size()) return malformed();
  const std::string_view signed_text = text.substr(0, dot);
  const auto payload = from_base64url(signed_text.substr(kPrefix.size()));
  if (!payload || payload->empty()) return malformed();

  const auto id = static_cast<uint8_t>(payload->front());
  const auto key = std::find_if(keys_.begin(), keys_.end(), [id](const Key& k) { return k.id == id; });
  if (key == keys_.end())
    return refused("it was signed with key " + std::to_string(id) + ", which is not in use any more; register again");
  // Nothing else of the payload is looked at before this holds. The MAC's text has one spelling, so comparing texts
  // compares MACs.
  if (!equal_constant_time(text.substr(dot + 1), mac(*key, signed_text))) return refused("its signature is wrong");

  ByteReader in(*payload);
  in.u8();
  Credential credential;
  credential.app = in.str();
  credential.device_id = in.str();
  const uint64_t generation = in.varint();
  credential.expires_ms = in.zigzag();
  if (!in.at_end() || generation > UINT32_MAX) return malformed();
  credential.generation = static_cast<uint32_t>(generation);
  if (now >= credential.expires_ms)
    return refused("it expired on " + to_rfc3339(credential.expires_ms) + "; register again");
  return credential;
}

}  // namespace godwit
