// ProviderToken is the JWT by which a team proves itself to APNs: ES256, made from the .p8 key, one for all pushes of
// the key, renewed in its window.
//
// Apple (establishing a token-based connection; apns.md §2.1): refuses tokens older than 60 minutes, and more than one
// renewal in 20 minutes (TooManyProviderTokenUpdates). We renew at 50 minutes. The age is measured on the monotonic
// clock, so a wall clock that jumps renews at most once per 20 minutes.
//
// Channel instances of one process that have the same team and key (one for each app) share the token: Apple counts the
// renewals of a key, whoever asks. An instance's object is used on its lane only; what they share has a lock. A key
// that cannot be used is an Error for the operator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <godwit/result.hpp>

struct evp_pkey_st;

namespace apns {

constexpr uint64_t kMinuteNs = 60'000'000'000;

struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
using SigningKey = std::unique_ptr<evp_pkey_st, FreeKey>;

// From PEM (PKCS#8), EC P-256.
godwit::Result<SigningKey> read_key(std::string_view pem);
// header.claims.signature; the signature is raw r||s (RFC 7518 §3.4), which JOSE and Apple take.
godwit::Result<std::string> sign_token(evp_pkey_st& key, std::string_view team_id, std::string_view key_id,
                                       uint64_t issued_at_s);

class ProviderToken {
 public:
  ProviderToken(std::string team_id, std::string key_id) : team_id_(std::move(team_id)), key_id_(std::move(key_id)) {}

  // A new key; the next use makes a token from it.
  godwit::Result<void> set_key(std::string_view pem);
  // The value of `authorization`. REQUIRES: a key was set
  const std::string& authorization(uint64_t mono_ns, uint64_t wall_ms);
  // Apple calls token `generation` expired. True: the next use makes a new one (or somebody has made it since), so the
  // push may go again. False: the present one is too young for that, so our clock or Apple's is wrong.
  bool renew_expired(uint64_t generation, uint64_t mono_ns, uint64_t wall_ms);

  uint64_t generation() const { return generation_; }  // of the present token, as seen from here; 0: none yet

 private:
  struct Shared;
  static std::shared_ptr<Shared> shared_by(const std::string& team_id, const std::string& key_id, std::string_view pem,
                                           SigningKey key);
  const std::string team_id_, key_id_;
  std::shared_ptr<Shared> shared_;  // null: no key was set
  std::string authorization_;       // what was used last
  uint64_t generation_ = 0;
};

}  // namespace apns
