// PUBLISH and its answers (selfconn.md, sections 7 and 8, error table rows 19 to 27).
#include <gtest/gtest.h>

#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/testing/bytes.hpp"

namespace godwit::mqtt {
namespace {
using testing::as_text;
using testing::hex;

struct Parsed {
  testing::Buffer body;
  Publish publish;
  Fault fault;

  Parsed(Version version, uint8_t flags, std::string_view literal, Sender sender = Sender::client)
      : body(hex(literal)) {
    fault = parse_publish({PacketType::publish, flags, body, body.size() + 2, true}, version, sender, publish);
  }
};
constexpr auto v3 = Version::v3_1_1;
constexpr auto v5 = Version::v5;

TEST(Publish, ReadsTopicIdAndPayload) {
  const Parsed p(v3, 0x0B, "0003'a/b' 1234 'hello'");
  ASSERT_FALSE(p.fault);
  EXPECT_TRUE(p.publish.dup);
  EXPECT_TRUE(p.publish.retain);
  EXPECT_EQ(p.publish.qos, 1);
  EXPECT_EQ(p.publish.topic, "a/b");
  EXPECT_EQ(p.publish.packet_id, 0x1234);
  EXPECT_EQ(as_text(p.publish.payload), "hello");
}

TEST(Publish, HasNoPacketIdAtQos0AndMayBeEmpty) {
  const Parsed p(v3, 0, "0001'a'");
  ASSERT_FALSE(p.fault);
  EXPECT_TRUE(p.publish.payload.empty());
  EXPECT_EQ(p.publish.packet_id, 0);
}

TEST(Publish, ImpossibleFlagsAreMalformed) {
  for (Version version : {v3, v5}) {
    EXPECT_EQ(Parsed(version, 0x06, "0001'a' 0001 00").fault.reason, Reason::malformed_packet) << "QoS 3";
    EXPECT_EQ(Parsed(version, 0x08, "0001'a' 00").fault.reason, Reason::malformed_packet) << "DUP at QoS 0";
  }
}

TEST(Publish, PacketIdMustNotBeZero) {
  EXPECT_EQ(Parsed(v3, 2, "0001'a' 0000").fault.reason, Reason::protocol_error);
  EXPECT_EQ(Parsed(v5, 4, "0001'a' 0000 00").fault.reason, Reason::protocol_error);
}

TEST(Publish, IsMalformedWhenCutOff) {
  EXPECT_EQ(Parsed(v3, 0, "00").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(Parsed(v3, 0, "0002'a'").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(Parsed(v3, 2, "0001'a' 00").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(Parsed(v5, 0, "0001'a'").fault.reason, Reason::malformed_packet) << "no property length";
  EXPECT_EQ(Parsed(v5, 0, "0001'a' 05 01").fault.reason, Reason::malformed_packet);
}

TEST(Publish, TopicMustNotHaveWildcardsOrBadText) {
  for (const char* topic : {"0001'#'", "0003'a/+'", "0002 C328", "0001 00", "0001 1F", "0003 EDA080"})
    EXPECT_EQ(Parsed(v3, 0, topic).fault.reason, Reason::malformed_packet) << topic;
}

TEST(Publish, AnEmptyTopicNeedsAnAlias) {
  EXPECT_EQ(Parsed(v3, 0, "0000").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(Parsed(v5, 0, "0000 00").fault.reason, Reason::protocol_error);
  const Parsed p(v5, 0, "0000 [23 0007] 'x'");
  ASSERT_FALSE(p.fault);
  EXPECT_EQ(p.publish.properties.number(Property::topic_alias, 0), 7u);
}

TEST(Publish, AliasZeroHasItsOwnCode) {
  EXPECT_EQ(Parsed(v5, 0, "0001'a' [23 0000]").fault.reason, Reason::topic_alias_invalid);
}

TEST(Publish, OnlyAServerMaySendSubscriptionIdentifiers) {
  EXPECT_EQ(Parsed(v5, 0, "0001'a' [0B 01]", Sender::client).fault.reason, Reason::protocol_error);
  EXPECT_FALSE(Parsed(v5, 0, "0001'a' [0B 01 0B 02]", Sender::server).fault);
  EXPECT_EQ(Parsed(v5, 0, "0001'a' [0B 00]", Sender::server).fault.reason, Reason::protocol_error);
}

TEST(Publish, ResponseTopicMustNotHaveWildcards) {
  EXPECT_EQ(Parsed(v5, 0, "0001'a' [08 0001'#']").fault.reason, Reason::protocol_error);
  EXPECT_FALSE(Parsed(v5, 0, "0001'a' [08 0001'b']").fault);
}

struct ParsedAck {
  testing::Buffer body;
  Ack ack;
  Fault fault;

  ParsedAck(Version version, PacketType type, std::string_view literal) : body(hex(literal)) {
    fault = parse_ack({type, 0, body, body.size() + 2, true}, version, Sender::client, ack);
  }
};

TEST(Ack, HasThreeLengthsIn5) {
  const ParsedAck bare(v5, PacketType::puback, "0102");
  ASSERT_FALSE(bare.fault);
  EXPECT_EQ(bare.ack.packet_id, 0x0102);
  EXPECT_EQ(bare.ack.reason, Reason::success);
  const ParsedAck code(v5, PacketType::puback, "0001 97");
  ASSERT_FALSE(code.fault);
  EXPECT_EQ(code.ack.reason, Reason::quota_exceeded);
  const ParsedAck full(v5, PacketType::puback, "0001 99 [1F 0002'no' 26 0001'k' 0001'v']");
  ASSERT_FALSE(full.fault);
  EXPECT_EQ(full.ack.properties.text(Property::reason_string), "no");
}

TEST(Ack, IsExactlyTwoBytesIn311) {
  EXPECT_FALSE(ParsedAck(v3, PacketType::puback, "0001").fault);
  EXPECT_EQ(ParsedAck(v3, PacketType::puback, "0001 00").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(ParsedAck(v3, PacketType::puback, "00").fault.reason, Reason::malformed_packet);
}

TEST(Ack, TrailingBytesAndBadPropertiesAreMalformed) {
  EXPECT_EQ(ParsedAck(v5, PacketType::puback, "").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(ParsedAck(v5, PacketType::puback, "0001 00 00 00").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(ParsedAck(v5, PacketType::puback, "0001 00 [23 0001]").fault.reason, Reason::malformed_packet);
}

TEST(Ack, PacketIdZeroIsAProtocolError) {
  for (PacketType type : {PacketType::puback, PacketType::pubrec, PacketType::pubrel, PacketType::pubcomp})
    for (Version version : {v3, v5}) EXPECT_EQ(ParsedAck(version, type, "0000").fault.reason, Reason::protocol_error);
}

TEST(Ack, EveryCodeIsAllowedForItsPacketsOnly) {
  const std::vector<uint8_t> first = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
  const std::vector<uint8_t> second = {0x00, 0x92};
  for (PacketType type : {PacketType::puback, PacketType::pubrec, PacketType::pubrel, PacketType::pubcomp}) {
    const auto& allowed = type == PacketType::puback || type == PacketType::pubrec ? first : second;
    for (unsigned code = 0; code < 256; ++code) {
      const testing::Buffer body = {0, 1, static_cast<uint8_t>(code)};
      Ack ack;
      const Fault fault = parse_ack({type, 0, body, 5, true}, v5, Sender::client, ack);
      const bool fits = std::find(allowed.begin(), allowed.end(), code) != allowed.end();
      EXPECT_EQ(fault.reason, fits ? Reason::success : Reason::protocol_error) << code;
    }
  }
}

}  // namespace
}  // namespace godwit::mqtt
