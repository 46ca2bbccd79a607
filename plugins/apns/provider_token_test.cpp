// The provider token: its form, who can verify it, and when it is renewed. tests/interop holds it against an
// implementation that is not ours.
#include "provider_token.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <fstream>
#include <sstream>

namespace apns {
namespace {

std::string test_key() {
  std::ostringstream text;
  text << std::ifstream(TEST_KEY_FILE).rdbuf();
  return text.str();
}

constexpr uint64_t kWall = 1'760'000'000'000;

struct Rig {
  Rig() { EXPECT_TRUE(token.set_key(test_key())); }
  std::string at(uint64_t minutes, int64_t wall_jump_minutes = 0) {
    return token.authorization(start + minutes * kMinuteNs,
                               kWall + (minutes + static_cast<uint64_t>(wall_jump_minutes)) * 60'000);
  }
  uint64_t start = 1'000'000'000'000;
  ProviderToken token{"TEAMID0001", "FAKEKEY001"};
};

TEST(ProviderToken, IsABearerOfThreePartsWithARawSignature) {
  const std::string value = Rig().at(0);
  ASSERT_TRUE(value.starts_with("bearer ")) << "lower case, as every client sends it";
  const std::string token = value.substr(7);
  EXPECT_EQ(token.substr(0, token.find('.')), "eyJhbGciOiJFUzI1NiIsImtpZCI6IkZBS0VLRVkwMDEiLCJ0eXAiOiJKV1QifQ");
  const std::string signature = token.substr(token.rfind('.') + 1);
  EXPECT_EQ(signature.size(), 86u) << "64 bytes in base64url without padding";
  EXPECT_EQ(token.find('='), std::string::npos);
}

TEST(ProviderToken, StaysTheSameForFiftyMinutesAndIsRenewedThen) {
  Rig rig;
  const std::string first = rig.at(0);
  for (const uint64_t minute : {1u, 20u, 49u}) EXPECT_EQ(rig.at(minute), first);
  EXPECT_NE(rig.at(50), first);
  EXPECT_EQ(rig.token.generation(), 2u);
}

TEST(ProviderToken, IsRenewedOnceWhenAThousandPushesHearThatItExpired) {
  Rig rig;
  rig.at(0);
  EXPECT_FALSE(rig.token.renew_expired(1, rig.start + kMinuteNs, kWall + 60'000)) << "a young token: a clock is wrong";
  rig.token.authorization(rig.start, kWall);
  EXPECT_EQ(rig.token.generation(), 1u);

  const uint64_t later = rig.start + 56 * kMinuteNs;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(rig.token.renew_expired(1, later, kWall + 56 * 60'000));
  rig.at(56);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(rig.token.renew_expired(1, later, kWall + 56 * 60'000));
  rig.at(56);
  EXPECT_EQ(rig.token.generation(), 2u);
}

TEST(ProviderToken, FollowsAWallClockThatWasPutRightButNotMoreOftenThanAppleAllows) {
  Rig rig;
  const std::string first = rig.at(0);
  EXPECT_EQ(rig.at(19, 30), first) << "at most one in 20 minutes";
  EXPECT_NE(rig.at(21, 30), first);
  // ... unless Apple refuses it anyway.
  Rig wrong;
  wrong.at(0);
  EXPECT_TRUE(wrong.token.renew_expired(1, wrong.start + kMinuteNs, kWall + 3 * 3'600'000));
}

TEST(ProviderToken, IsOneForAllInstancesWithTheSameTeamAndKey) {
  Rig chat, mail;
  ProviderToken other("TEAMID0002", "FAKEKEY001");
  ASSERT_TRUE(other.set_key(test_key()));
  const std::string token = chat.at(0);
  EXPECT_EQ(mail.at(0), token);
  EXPECT_NE(other.authorization(chat.start, kWall), token);
  // Renewed by one, and used by both; the other learns of it also when Apple tells it that its own one has expired.
  ASSERT_TRUE(chat.token.renew_expired(1, chat.start + 56 * kMinuteNs, kWall + 56 * 60'000));
  const std::string renewed = chat.at(56);
  EXPECT_NE(renewed, token);
  EXPECT_TRUE(mail.token.renew_expired(1, mail.start + 57 * kMinuteNs, kWall + 57 * 60'000));
  EXPECT_EQ(mail.at(57), renewed);
}

TEST(ProviderToken, SaysWhatIsWrongWithAKey) {
  EXPECT_NE(read_key("nonsense").error().message.find("not a private key in PEM"), std::string::npos);
  EVP_PKEY* rsa = EVP_RSA_gen(2048);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, rsa, nullptr, nullptr, 0, nullptr, nullptr);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  const auto read = read_key({bytes, static_cast<size_t>(size)});
  BIO_free(bio);
  EVP_PKEY_free(rsa);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("EC key on P-256"), std::string::npos);
}

}  // namespace
}  // namespace apns
