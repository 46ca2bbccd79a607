#include "plugins/selfconn/stream/tls13_key.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace selfconn::tls13 {
namespace {

std::vector<uint8_t> from_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

// RFC 8448, section 3, "server application traffic": the record that carries the bytes 0 to 49.
const std::string kServerSecret = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
const std::string kServerRecord =
    "1703030043"
    "2e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2"
    "e5f0a21c0047c2abf332540dd032e167c2955d";

TEST(TrafficKey, MakesTheRecordOfTheStandardsExample) {
  // Sequence 1: the session ticket came before it.
  TrafficKey key(Aead::aes_128_gcm, from_hex(kServerSecret), 1);
  std::vector<uint8_t> record(50 + kOverhead);
  for (uint8_t i = 0; i < 50; ++i) record[kHeader + i] = i;
  ASSERT_EQ(key.seal(record, 50, Content::data), record.size());
  EXPECT_EQ(record, from_hex(kServerRecord));
}

TEST(TrafficKey, OpensTheRecordOfTheStandardsExample) {
  TrafficKey key(Aead::aes_128_gcm, from_hex(kServerSecret), 1);
  std::vector<uint8_t> record = from_hex(kServerRecord);
  const auto opened = key.open(record);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->type, Content::data);
  ASSERT_EQ(opened->content.size(), 50u);
  EXPECT_EQ(opened->content[49], 49);
}

TEST(TrafficKey, OpensWhatItSealedWithEverySuiteAndAfterUpdates) {
  for (const Aead aead : {Aead::aes_128_gcm, Aead::aes_256_gcm, Aead::chacha20_poly1305}) {
    const std::vector<uint8_t> secret(aead == Aead::aes_256_gcm ? 48 : 32, 7);
    TrafficKey seals(aead, secret, 0), opens(aead, secret, 0);
    for (int i = 0; i < 4; ++i) {
      std::vector<uint8_t> record(3 + kOverhead);
      record[kHeader] = static_cast<uint8_t>(i);
      seals.seal(record, 3, Content::handshake);
      const auto opened = opens.open(record);
      ASSERT_TRUE(opened);
      EXPECT_EQ(opened->type, Content::handshake);
      EXPECT_EQ(opened->content[0], i);
      if (i % 2 == 1) seals.update(), opens.update();
    }
  }
}

TEST(TrafficKey, OpensNothingThatWasChangedOrComesTwice) {
  const std::vector<uint8_t> secret(32, 7);
  std::vector<uint8_t> record(3 + kOverhead);
  TrafficKey(Aead::aes_128_gcm, secret, 0).seal(record, 3, Content::data);
  for (size_t i = 0; i < record.size(); ++i) {
    auto changed = record;
    changed[i] ^= 1;
    EXPECT_FALSE(TrafficKey(Aead::aes_128_gcm, secret, 0).open(changed)) << i;
  }
  TrafficKey opens(Aead::aes_128_gcm, secret, 0);
  auto again = record;
  EXPECT_TRUE(opens.open(record));
  EXPECT_FALSE(opens.open(again));
}

TEST(TrafficKey, ARecordOfPaddingAloneHasNoContent) {
  const std::vector<uint8_t> secret(32, 7);
  std::vector<uint8_t> record(3 + kOverhead);
  TrafficKey(Aead::aes_128_gcm, secret, 0).seal(record, 3, static_cast<Content>(0));
  EXPECT_FALSE(TrafficKey(Aead::aes_128_gcm, secret, 0).open(record));
}

TEST(TrafficKey, IsSmall) {
  EXPECT_LE(sizeof(TrafficKey), 112u);
}

}  // namespace
}  // namespace selfconn::tls13
