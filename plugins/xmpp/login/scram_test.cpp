// The exchanges are the examples of RFC 5802 §5 and RFC 7677 §3.
#include "plugins/xmpp/login/scram.hpp"

#include <gtest/gtest.h>

namespace xmpp {
namespace {

TEST(Scram, Sha1ExampleOfTheRfc) {
  Scram scram(Hash::sha1, "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL");
  EXPECT_EQ(scram.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  const auto answer = scram.answer("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
  EXPECT_EQ(answer, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  EXPECT_TRUE(scram.is_proven("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
  EXPECT_FALSE(scram.is_proven("v=AAAApqV8S7suAoZWja4dJRkFsKQ="));
  EXPECT_FALSE(scram.is_proven(""));
}

TEST(Scram, Sha256ExampleOfTheRfc) {
  Scram scram(Hash::sha256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
  const auto answer =
      scram.answer("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  EXPECT_EQ(
      answer,
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_TRUE(scram.is_proven("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
}

TEST(Scram, AServerThatCannotBeTrustedGetsNoProof) {
  Scram scram(Hash::sha1, "user", "pencil", "abc");
  EXPECT_FALSE(scram.answer("r=xyz123,s=QSXCR+Q6sek8bf92,i=4096")) << "not our nonce";
  EXPECT_FALSE(scram.answer("r=abc,s=QSXCR+Q6sek8bf92,i=4096")) << "nothing of its own";
  EXPECT_FALSE(scram.answer("r=abcd,s=QSXCR+Q6sek8bf92,i=2000000000")) << "hours of work";
  EXPECT_FALSE(scram.answer("r=abcd,s=?,i=4096"));
  EXPECT_FALSE(scram.answer("r=abcd,s=QSXCR+Q6sek8bf92,i=0"));
  EXPECT_FALSE(scram.answer(""));
  EXPECT_FALSE(scram.is_proven("v=")) << "before any challenge";
}

TEST(Scram, NamesAreWrittenAsTheRfcAsks) {
  EXPECT_EQ(Scram(Hash::sha1, "a=b,c", "", "n").first(), "n,,n=a=3Db=2Cc,r=n");
}

}  // namespace
}  // namespace xmpp
