#include "broker/storage/batch.hpp"

#include <gtest/gtest.h>

#include "broker/base/random.hpp"
#include "broker/storage/crc32c.hpp"

namespace godwit {
namespace {

std::string three_records() {
  std::string records;
  append_record(records, RecordType::accept, 7, "first", 1);
  append_record(records, RecordType::outcome, 1023, "");
  append_record(records, static_cast<RecordType>(200), 0, std::string(300, 'x'));
  return records;
}

std::string a_batch() {
  std::string bytes;
  encode_batch(bytes, {.stream = 11, .epoch = 3, .offset = 42, .count = 3, .written_ms = 1'790'000'000'000},
               three_records());
  return bytes;
}

TEST(Crc32c, KnownVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720 B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Crc32c, ProcessorAndTableAgreeAtEveryLengthAndInPieces) {
  Random random(1);
  std::string bytes;
  for (int length = 0; length < 200; ++length, bytes.push_back(static_cast<char>(random.next()))) {
    const std::string_view all = bytes;
    EXPECT_EQ(crc32c(all), crc32c_portable(all));
    EXPECT_EQ(crc32c(all.substr(length / 3), crc32c(all.substr(0, length / 3))), crc32c_portable(all));
  }
}

TEST(Batch, WhatIsEncodedIsDecoded) {
  const std::string bytes = a_batch();
  const Result<Batch> batch = decode_batch(bytes);
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->header.stream, 11u);
  EXPECT_EQ(batch->header.epoch, 3u);
  EXPECT_EQ(batch->header.offset, 42u);
  EXPECT_EQ(batch->header.count, 3u);
  EXPECT_EQ(batch->header.written_ms, 1'790'000'000'000);

  RecordReader reader(batch->records);
  auto record = reader.next();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->type, RecordType::accept);
  EXPECT_EQ(record->flags, 1);
  EXPECT_EQ(record->vshard, 7);
  EXPECT_EQ(record->body, "first");
  EXPECT_TRUE(reader.next()->body.empty());
  record = reader.next();
  EXPECT_EQ(record->type, static_cast<RecordType>(200)) << "unknown types are kept";
  EXPECT_EQ(record->body.size(), 300u);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.clean());
}

// The format is on disks already: a change of these bytes needs a new format number, not a new expectation.
TEST(Batch, FormatOneIsTheseBytes) {
  std::string records, bytes;
  append_record(records, RecordType::receipt, 0x0102, "ab", 9);
  encode_batch(bytes, {.stream = 1, .epoch = 2, .offset = 3, .count = 1, .written_ms = 4}, records);
  const std::string expected(
      "GWJB\x01\x00\x00\x00"
      "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0"
      "\x01\0\0\0\x07\0\0\0",
      48);
  EXPECT_EQ(bytes.substr(0, 48), expected);
  EXPECT_EQ(bytes.substr(52), std::string("\x05\x09\x02\x01\x02"
                                          "ab",
                                          7));
}

TEST(Batch, EveryFlippedBitIsFound) {
  const std::string good = a_batch();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_FALSE(decode_batch(bad)) << "bit " << bit;
  }
}

TEST(Batch, EveryTruncationAndAnExtraByteIsFound) {
  const std::string good = a_batch();
  for (size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(decode_batch(good.substr(0, length))) << length;
  EXPECT_FALSE(decode_batch(good + '\0'));
}

TEST(Batch, ACountThatTheRecordsDoNotHoldIsRefusedEvenWithARightChecksum) {
  std::string bytes;
  for (const uint32_t count : {0u, 2u, 4u}) {
    encode_batch(bytes, {.offset = 0, .count = count}, three_records());
    EXPECT_FALSE(decode_batch(bytes)) << count;
  }
  encode_batch(bytes, {.offset = 0, .count = 3}, three_records().substr(1));
  EXPECT_FALSE(decode_batch(bytes));
  encode_batch(bytes, {.offset = ~0ull - 1, .count = 3}, three_records());
  EXPECT_FALSE(decode_batch(bytes)) << "offset + count must not wrap";
}

TEST(Batch, ANewerFormatSaysSo) {
  std::string bytes = a_batch();
  bytes[4] = 2;
  const uint32_t crc = crc32c(std::string_view(bytes).substr(52), crc32c(std::string_view(bytes).substr(0, 48)));
  std::memcpy(bytes.data() + 48, &crc, 4);
  const Result<Batch> batch = decode_batch(bytes);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, Code::unsupported);
  EXPECT_NE(batch.error().message.find("newer version"), std::string::npos) << batch.error().message;
}

}  // namespace
}  // namespace godwit
