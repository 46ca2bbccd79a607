#include "broker/registry/credential.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/base/bytes.hpp"
#include "broker/base/encoding.hpp"
#include "broker/registry/credential_keys.hpp"
#include "broker/storage/memory/memory_catalogue.hpp"

namespace godwit {
namespace {

using testing::HasSubstr;

constexpr WallMs kNow = 1'790'000'000'000;

CredentialSigner::Key key(uint8_t id) {
  std::string secret(CredentialSigner::kSecretBytes, '\0');
  for (size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<char>(i * 7 + id);
  return {id, secret};
}

const Credential kCredential{"shop", "device-1", 3, kNow + 1000};

// Computed with Python's hmac and base64 modules, so that a change of the format is seen.
constexpr std::string_view kVector = "gwd1.AQRzaG9wCGRldmljZS0xA9C_g8WYaA.PMUMz9lGZnIaypSY44qjqw";

TEST(Credential, HasTheDocumentedText) {
  EXPECT_EQ(CredentialSigner({key(1)}).sign(kCredential), kVector);
  EXPECT_EQ(CredentialSigner({key(1)}).verify(kVector, kNow).value(), kCredential);
}

TEST(Credential, SaysForWhichAppAndDeviceItWasSigned) {
  const CredentialSigner signer({key(1)});
  Credential other = kCredential;
  other.app = "bank";
  const auto verified = signer.verify(signer.sign(other), kNow);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->app, "bank");
  EXPECT_EQ(verified->device_id, "device-1");
  EXPECT_EQ(verified->generation, 3u);
}

TEST(Credential, IsRefusedFromItsExpiryOn) {
  const CredentialSigner signer({key(1)});
  const std::string text = signer.sign(kCredential);
  EXPECT_TRUE(signer.verify(text, kCredential.expires_ms - 1));
  const auto late = signer.verify(text, kCredential.expires_ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::forbidden);
  EXPECT_THAT(late.error().message, HasSubstr("expired on 2026-09-21T"));
}

TEST(Credential, EveryTruncationIsRefused) {
  const CredentialSigner signer({key(1)});
  const std::string text = signer.sign(kCredential);
  for (size_t n = 0; n < text.size(); ++n) {
    const auto got = signer.verify(text.substr(0, n), kNow);
    ASSERT_FALSE(got) << n;
    EXPECT_EQ(got.error().code, Code::forbidden);
  }
}

TEST(Credential, EveryChangeOfOneCharacterIsRefused) {
  const CredentialSigner signer({key(1)});
  const std::string text = signer.sign(kCredential);
  for (size_t at = 0; at < text.size(); ++at)
    for (const char c : {'A', 'B', 'a', 'z', '0', '-', '_', '.', '=', '\0', '\xff'}) {
      std::string changed = text;
      changed[at] = c;
      EXPECT_EQ(signer.verify(changed, kNow).ok(), changed == text) << changed;
    }
}

TEST(Credential, AnythingAddedIsRefused) {
  const CredentialSigner signer({key(1)});
  const std::string text = signer.sign(kCredential);
  for (const char* tail : {"A", ".", "=", " ", "\n", ".AAAA"}) EXPECT_FALSE(signer.verify(text + tail, kNow)) << tail;
  EXPECT_FALSE(signer.verify(" " + text, kNow));
  EXPECT_FALSE(signer.verify(std::string(1 << 20, 'A'), kNow));
  EXPECT_FALSE(signer.verify("gwd1." + std::string(1 << 20, 'A') + "." + std::string(22, 'A'), kNow));
}

TEST(Credential, ThePayloadOfOneUnderTheSignatureOfAnotherIsRefused) {
  const CredentialSigner signer({key(1)});
  Credential other = kCredential;
  other.device_id = "device-2";
  const std::string mine = signer.sign(kCredential), theirs = signer.sign(other);
  const auto mixed = signer.verify(theirs.substr(0, theirs.rfind('.')) + mine.substr(mine.rfind('.')), kNow);
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message, HasSubstr("signature"));
}

TEST(Credential, OldKeysVerifyAndForgottenOnesDoNot) {
  const std::string old = CredentialSigner({key(1)}).sign(kCredential);
  const CredentialSigner rotated({key(1), key(2)});
  EXPECT_TRUE(rotated.verify(old, kNow));
  const std::string fresh = rotated.sign(kCredential);
  EXPECT_NE(fresh, old);
  const CredentialSigner later({key(2), key(3)});
  EXPECT_TRUE(later.verify(fresh, kNow));
  const auto got = later.verify(old, kNow);
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("key 1"));
}

TEST(Credential, AKeyOfTheSameIdWithAnotherSecretRefuses) {
  EXPECT_FALSE(
      CredentialSigner({{1, std::string(32, 'x')}}).verify(CredentialSigner({key(1)}).sign(kCredential), kNow));
}

TEST(Credential, IdsMayHoldAnyBytes) {
  const CredentialSigner signer({key(9)});
  const Credential odd{std::string("a\0b.c", 5), "设备/1.2", 4'000'000'000u, INT64_MAX};
  EXPECT_EQ(signer.verify(signer.sign(odd), kNow).value(), odd);
}

TEST(CredentialKeys, AreMadeOnceAndKept) {
  MemoryCatalogue catalogue;
  const auto first = load_or_create_credential_keys(catalogue);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 1u);
  const auto second = load_or_create_credential_keys(catalogue);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->at(0).secret, first->at(0).secret);
  MemoryCatalogue elsewhere;
  EXPECT_NE(load_or_create_credential_keys(elsewhere)->at(0).secret, first->at(0).secret);
}

TEST(CredentialKeys, RotationKeepsWhatWasSignedWithTheLastKey) {
  MemoryCatalogue catalogue;
  const std::string text = CredentialSigner(load_or_create_credential_keys(catalogue).value()).sign(kCredential);
  const auto rotated = rotate_credential_keys(catalogue);
  ASSERT_TRUE(rotated);
  EXPECT_TRUE(CredentialSigner(*rotated).verify(text, kNow));
  const auto again = rotate_credential_keys(catalogue);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->size(), 2u);
  EXPECT_FALSE(CredentialSigner(*again).verify(text, kNow));
  EXPECT_EQ(load_or_create_credential_keys(catalogue)->back().secret, again->back().secret);
}

TEST(CredentialKeys, ManyRotationsNeverRepeatAnIdInUse) {
  MemoryCatalogue catalogue;
  for (int i = 0; i < 600; ++i) {
    const auto keys = rotate_credential_keys(catalogue, 3);
    ASSERT_TRUE(keys);
    for (size_t a = 0; a < keys->size(); ++a)
      for (size_t b = 0; b < a; ++b) ASSERT_NE((*keys)[a].id, (*keys)[b].id);
  }
}

TEST(CredentialKeys, DamagedKeysAreAnErrorAndStay) {
  MemoryCatalogue catalogue;
  ASSERT_TRUE(load_or_create_credential_keys(catalogue));
  std::string value = *catalogue.get_value("registry/credential_keys").value();
  value.pop_back();
  ASSERT_EQ(catalogue.put_value("registry/credential_keys", value), Fate::ok);
  const auto keys = load_or_create_credential_keys(catalogue);
  ASSERT_FALSE(keys);
  EXPECT_THAT(keys.error().message, HasSubstr("restore the catalogue"));
  EXPECT_EQ(catalogue.get_value("registry/credential_keys").value(), value);
}

TEST(CredentialKeys, AKeyThatCouldNotBeStoredIsNotUsed) {
  MemoryCatalogue catalogue;
  catalogue.fail_next_writes(1);
  EXPECT_FALSE(load_or_create_credential_keys(catalogue));
}

}  // namespace
}  // namespace godwit
