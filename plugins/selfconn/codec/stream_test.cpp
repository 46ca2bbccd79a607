// What must hold for every packet: round trip, every prefix waits, one byte at a time gives the same packets.
#include <gtest/gtest.h>

#include <algorithm>

#include "plugins/selfconn/codec/testing/any_packet.hpp"
#include "plugins/selfconn/codec/testing/samples.hpp"

namespace godwit::mqtt {
namespace {
using testing::Buffer;
using testing::Sample;

class EverySample : public ::testing::TestWithParam<Sample> {};

TEST_P(EverySample, WritesBackTheSameBytes) {
  const Sample& sample = GetParam();
  Frame frame;
  Fault fault;
  ASSERT_EQ(scan_frame(sample.bytes, sample.version, {}, frame, fault), Scan::complete) << fault.text;
  EXPECT_EQ(frame.size, sample.bytes.size());
  const testing::Rewritten rewritten = testing::rewrite(frame, sample.version, sample.sender);
  ASSERT_FALSE(rewritten.fault) << rewritten.fault.text;
  EXPECT_EQ(rewritten.bytes, sample.bytes);
}

TEST_P(EverySample, EveryPrefixWaitsForMore) {
  const Sample& sample = GetParam();
  for (size_t length = 0; length < sample.bytes.size(); ++length) {
    // A copy of exactly this length, so that a read past the end is a fault under ASan.
    const Buffer prefix(sample.bytes.begin(), sample.bytes.begin() + static_cast<long>(length));
    Frame frame;
    Fault fault;
    EXPECT_EQ(scan_frame(prefix, sample.version, {}, frame, fault), Scan::need_more) << length;
  }
}

TEST_P(EverySample, ABodyCutShortIsRefusedOrIsAnotherValidPacket) {
  const Sample& sample = GetParam();
  Frame whole;
  Fault fault;
  ASSERT_EQ(scan_frame(sample.bytes, sample.version, {}, whole, fault), Scan::complete);
  for (size_t length = 0; length < whole.body.size(); ++length) {
    const Buffer body(whole.body.begin(), whole.body.begin() + static_cast<long>(length));
    const Frame cut{whole.type, whole.flags, body, body.size() + 2, true};
    const testing::Rewritten rewritten = testing::rewrite(cut, sample.version, sample.sender);
    if (rewritten.fault) {
      EXPECT_TRUE(is_error(rewritten.fault.reason));
    } else {
      EXPECT_LE(rewritten.bytes.size(), 2 + length) << "at most a shorter form, nothing invented";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Codec, EverySample, ::testing::ValuesIn(testing::samples()),
                         [](const auto& info) { return info.param.name; });

TEST(Stream, OneByteAtATimeGivesTheSamePackets) {
  Buffer stream;
  std::vector<PacketType> expected;
  for (const Sample& sample : testing::samples())
    if (sample.version == Version::v5) {
      stream.insert(stream.end(), sample.bytes.begin(), sample.bytes.end());
      expected.push_back(static_cast<PacketType>(sample.bytes[0] >> 4));
    }
  std::vector<PacketType> seen;
  Buffer pending;
  for (uint8_t byte : stream) {
    pending.push_back(byte);
    Frame frame;
    Fault fault;
    const Scan scan = scan_frame(pending, Version::v5, {}, frame, fault);
    ASSERT_NE(scan, Scan::faulty) << fault.text;
    if (scan == Scan::need_more) continue;
    ASSERT_EQ(frame.size, pending.size());
    seen.push_back(frame.type);
    pending.clear();
  }
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(seen, expected);
}

TEST(Stream, AnySingleByteChangedNeverReadsOutOfBounds) {
  for (const Sample& sample : testing::samples())
    for (size_t at = 0; at < sample.bytes.size(); ++at)
      for (unsigned bit = 0; bit < 8; ++bit) {
        Buffer broken = sample.bytes;
        broken[at] ^= static_cast<uint8_t>(1u << bit);
        Frame frame;
        Fault fault;
        if (scan_frame(broken, sample.version, {}, frame, fault) == Scan::complete)
          (void)testing::rewrite(frame, sample.version, sample.sender);
      }
}

}  // namespace
}  // namespace godwit::mqtt
