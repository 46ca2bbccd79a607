#include "provider_token.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <map>
#include <mutex>
#include <tuple>

namespace apns {
namespace {

constexpr uint64_t kRenewAfterNs = 50 * kMinuteNs, kNotSoonerNs = 20 * kMinuteNs, kTooYoungNs = 55 * kMinuteNs;
constexpr uint64_t kClockSlackS = 300;
constexpr size_t kHalf = 32;  // bytes of r and of s on P-256

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};

std::string base64url(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t n = 0;
    for (size_t k = 0; k < 3; ++k) n = n << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    const size_t digits = std::min<size_t>(3, bytes.size() - i) + 1;
    for (size_t k = 0; k < digits; ++k) out += kDigits[n >> (18 - 6 * k) & 63];
  }
  return out;
}

godwit::Error unusable(const char* why) {
  ERR_clear_error();
  return godwit::invalid(std::string("the .p8 key cannot be used: ") + why, "/key");
}

}  // namespace

void FreeKey::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

godwit::Result<SigningKey> read_key(std::string_view pem) {
  const std::unique_ptr<BIO, Deleter<BIO_free_all>> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto no_password = [](char*, int, int, void*) { return 0; };
  SigningKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return unusable("it is not a private key in PEM (-----BEGIN PRIVATE KEY-----)");
  char group[64] = {};
  size_t length = 0;
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC ||
      EVP_PKEY_get_group_name(key.get(), group, sizeof group, &length) != 1 || std::string_view(group) != "prime256v1")
    return unusable("it must be an EC key on P-256, as Apple makes them");
  return key;
}

godwit::Result<std::string> sign_token(evp_pkey_st& key, std::string_view team_id, std::string_view key_id,
                                       uint64_t issued_at_s) {
  std::string token = base64url(R"({"alg":"ES256","kid":")" + std::string(key_id) + R"(","typ":"JWT"})");
  token += '.';
  token += base64url(R"({"iss":")" + std::string(team_id) + R"(","iat":)" + std::to_string(issued_at_s) + "}");

  const std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  std::array<unsigned char, 128> der;
  size_t length = der.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, &key) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &length, reinterpret_cast<const unsigned char*>(token.data()),
                     token.size()) != 1)
    return unusable("signing failed");
  // OpenSSL signs in DER; JOSE wants the two numbers, each in 32 bytes.
  const unsigned char* at = der.data();
  const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)));
  std::array<unsigned char, 2 * kHalf> raw;
  if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), kHalf) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + kHalf, kHalf) < 0)
    return unusable("signing failed");
  token += '.';
  token += base64url({reinterpret_cast<const char*>(raw.data()), raw.size()});
  return token;
}

struct ProviderToken::Shared {
  explicit Shared(SigningKey key) : key(std::move(key)) {}
  const SigningKey key;
  std::mutex mutex;
  std::string authorization;                   // guarded by mutex, as the rest
  uint64_t made_mono_ns = 0, issued_at_s = 0;  // of it

  // Another lane may have made it a moment after this one has read its clock.
  uint64_t age_ns(uint64_t mono_ns) const { return mono_ns > made_mono_ns ? mono_ns - made_mono_ns : 0; }
  // Since the token was made.
  bool clock_has_moved(uint64_t mono_ns, uint64_t wall_ms) const {
    const uint64_t wall_s = wall_ms / 1000, expected_s = issued_at_s + age_ns(mono_ns) / 1'000'000'000;
    return expected_s + kClockSlackS < wall_s || wall_s + kClockSlackS < expected_s;
  }
  bool may_be_used(uint64_t mono_ns, uint64_t wall_ms) const {
    const uint64_t age = age_ns(mono_ns);
    return !authorization.empty() && age < kRenewAfterNs && !(age >= kNotSoonerNs && clock_has_moved(mono_ns, wall_ms));
  }
};

std::shared_ptr<ProviderToken::Shared> ProviderToken::shared_by(const std::string& team_id, const std::string& key_id,
                                                                std::string_view pem, SigningKey key) {
  using Place = std::tuple<std::string, std::string, std::string>;
  static std::mutex mutex;
  static std::map<Place, std::weak_ptr<Shared>> all;  // a few; those that nobody uses any more are swept out here
  std::lock_guard lock(mutex);
  std::erase_if(all, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Shared>& place = all[{team_id, key_id, std::string(pem)}];
  std::shared_ptr<Shared> shared = place.lock();
  if (!shared) place = shared = std::make_shared<Shared>(std::move(key));
  return shared;
}

godwit::Result<void> ProviderToken::set_key(std::string_view pem) {
  auto key = read_key(pem);
  if (!key) return std::move(key).error();
  shared_ = shared_by(team_id_, key_id_, pem, std::move(*key));
  authorization_.clear();
  return {};
}

const std::string& ProviderToken::authorization(uint64_t mono_ns, uint64_t wall_ms) {
  Shared& s = *shared_;
  std::lock_guard lock(s.mutex);
  if (!s.may_be_used(mono_ns, wall_ms))
    if (auto token = sign_token(*s.key, team_id_, key_id_, wall_ms / 1000)) {
      s.authorization = "bearer " + *token;
      s.made_mono_ns = mono_ns;
      s.issued_at_s = wall_ms / 1000;
    }
  if (authorization_ != s.authorization) {
    authorization_ = s.authorization;
    ++generation_;
  }
  return authorization_;
}

bool ProviderToken::renew_expired(uint64_t generation, uint64_t mono_ns, uint64_t wall_ms) {
  if (generation != generation_ || authorization_.empty()) return true;  // somebody was here before
  Shared& s = *shared_;
  std::lock_guard lock(s.mutex);
  if (s.authorization != authorization_) return true;  // another instance was
  // A clock that was put right makes the date in the token wrong, however young it is.
  if (s.age_ns(mono_ns) < kTooYoungNs && !s.clock_has_moved(mono_ns, wall_ms)) return false;
  s.authorization.clear();
  return true;
}

}  // namespace apns
