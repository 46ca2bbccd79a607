// CONNECT and CONNACK (selfconn.md, sections 3 and 4, error table rows 9 to 18).
#include <gtest/gtest.h>

#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/testing/bytes.hpp"

namespace godwit::mqtt {
namespace {
using testing::as_text;
using testing::hex;

// Everything behind the fixed header.
struct Parsed {
  testing::Buffer body;
  Connect connect;
  Fault fault;

  explicit Parsed(std::string_view literal) : body(hex(literal)) {
    fault = parse_connect({PacketType::connect, 0, body, body.size() + 2, true}, connect);
  }
};

TEST(Connect, ReadsEveryFieldOf311) {
  const Parsed p("0004'MQTT' 04 EE 003C 0002'd1' 0004'will' 0003'bye' 0004'demo' 0006's3cret'");
  ASSERT_FALSE(p.fault) << p.fault.text;
  EXPECT_EQ(p.connect.version, Version::v3_1_1);
  EXPECT_TRUE(p.connect.clean_start);
  EXPECT_EQ(p.connect.keep_alive_s, 60);
  EXPECT_EQ(p.connect.client_id, "d1");
  EXPECT_TRUE(p.connect.has_will);
  EXPECT_EQ(p.connect.will.qos, 1);
  EXPECT_TRUE(p.connect.will.retain);
  EXPECT_EQ(p.connect.will.topic, "will");
  EXPECT_EQ(as_text(p.connect.will.payload), "bye");
  EXPECT_EQ(p.connect.user_name, "demo");
  EXPECT_EQ(as_text(p.connect.password), "s3cret");
}

TEST(Connect, ReadsPropertiesOf5) {
  const Parsed p("0004'MQTT' 05 00 0000 [11 00000E10 21 0008 27 00010000 22 000A 17 00] 0002'd1'");
  ASSERT_FALSE(p.fault) << p.fault.text;
  EXPECT_EQ(p.connect.version, Version::v5);
  EXPECT_FALSE(p.connect.clean_start);
  EXPECT_EQ(p.connect.properties.number(Property::session_expiry_interval, 0), 3600u);
  EXPECT_EQ(p.connect.properties.number(Property::receive_maximum, 65'535), 8u);
  EXPECT_EQ(p.connect.properties.number(Property::maximum_packet_size, 0), 65'536u);
  EXPECT_EQ(p.connect.properties.number(Property::topic_alias_maximum, 0), 10u);
  EXPECT_EQ(p.connect.properties.number(Property::request_problem_information, 1), 0u);
  EXPECT_EQ(p.connect.properties.number(Property::request_response_information, 7), 7u);
}

TEST(Connect, PasswordMayHoldAnyBytesAndBeEmpty) {
  const Parsed p("0004'MQTT' 04 C2 0000 0002'd1' 0001'a' 0003 00FF00");
  ASSERT_FALSE(p.fault);
  EXPECT_EQ(p.connect.password.size(), 3u);
  EXPECT_FALSE(Parsed("0004'MQTT' 04 C2 0000 0002'd1' 0001'a' 0000").fault);
}

TEST(Connect, AnotherProtocolIsClosedWithoutAWord) {
  for (const char* body :
       {"", "0004'MQTT'", "0004'mqtt' 04 02 0000 0001'd'", "0005'MQTT' 04", "0003'GET' 04 02 0000"}) {
    const Parsed p(body);
    EXPECT_TRUE(p.fault) << body;
    EXPECT_TRUE(p.fault.silent) << body;
  }
}

TEST(Connect, UnknownLevelsAreRefusedInTheFormThatTheClientCanRead) {
  for (const char* body : {"0004'MQTT' 03 02 0000 0001'd'", "0006'MQIsdp' 03 02 0000 0001'd'", "0006'MQIsdp' 04"}) {
    const Parsed p(body);
    EXPECT_EQ(p.connect.version, Version::v3_1_1) << body;
    EXPECT_EQ(p.fault.connack, ConnectReturn::unacceptable_protocol_version) << body;
    EXPECT_FALSE(p.fault.silent);
  }
  const Parsed newer("0004'MQTT' 06 02 0000 00 0001'd'");
  EXPECT_EQ(newer.connect.version, Version::v5);
  EXPECT_EQ(newer.fault.reason, Reason::unsupported_protocol_version);
}

TEST(Connect, WrongFlagsAreMalformed) {
  for (const char* body : {
           "0004'MQTT' 04 03 0000 0001'd'",               // reserved bit
           "0004'MQTT' 04 0A 0000 0001'd'",               // will QoS without will
           "0004'MQTT' 04 22 0000 0001'd'",               // will retain without will
           "0004'MQTT' 04 1E 0000 0001'd' 0001'w' 0000",  // will QoS 3
           "0004'MQTT' 04 42 0000 0001'd' 0001'p'",       // 3.1.1: password alone
           "0004'MQTT' 05 03 0000 00 0001'd'",            // the same bits in 5.0
           "0004'MQTT' 05 1E 0000 00 0001'd' 00 0001'w' 0000",
       }) {
    const Parsed p(body);
    EXPECT_EQ(p.fault.reason, Reason::malformed_packet) << body;
    EXPECT_EQ(p.fault.connack, ConnectReturn::accepted) << "3.1.1 has no code for it: " << body;
  }
  EXPECT_FALSE(Parsed("0004'MQTT' 05 42 0000 00 0001'd' 0001'p'").fault) << "5.0 allows a password alone";
}

TEST(Connect, FieldsMustFillThePacketExactly) {
  for (const char* body : {
           "0004'MQTT' 04 02 00",                    // no keep alive
           "0004'MQTT' 04 02 0000 0005'd'",          // client id cut off
           "0004'MQTT' 04 06 0000 0001'd' 0001'w'",  // no will payload
           "0004'MQTT' 04 82 0000 0001'd'",          // no user name
           "0004'MQTT' 04 C2 0000 0001'd' 0001'u'",  // no password
           "0004'MQTT' 04 02 0000 0001'd' 00",       // one byte left over
           "0004'MQTT' 05 02 0000 0001'd'",          // client id where properties belong
           "0004'MQTT' 05 02 0000 05 11 0000",       // property length past the end
       }) {
    EXPECT_EQ(Parsed(body).fault.reason, Reason::malformed_packet) << body;
  }
}

TEST(Connect, WillTopicMustBeATopic) {
  for (const char* topic : {"0000", "0001'#'", "0003'a/+'", "0002 C080", "0001 00"}) {
    const Parsed p(std::string("0004'MQTT' 04 06 0000 0001'd' ") + topic + " 0000");
    EXPECT_EQ(p.fault.reason, Reason::malformed_packet) << topic;
  }
}

TEST(Connect, BadClientIdsAreNamedAsSuch) {
  for (const char* id : {"0001 01", "0002 0A0A", "0002 C280", "0003 EFBFBF"}) {
    const Parsed p(std::string("0004'MQTT' 04 02 0000 ") + id);
    EXPECT_EQ(p.fault.reason, Reason::client_identifier_not_valid) << id;
    EXPECT_EQ(p.fault.connack, ConnectReturn::identifier_rejected) << id;
  }
  EXPECT_EQ(Parsed("0004'MQTT' 04 02 0000 0001 FF").fault.reason, Reason::malformed_packet) << "bad UTF-8";
  EXPECT_EQ(Parsed("0004'MQTT' 04 02 0000 0001 00").fault.reason, Reason::malformed_packet) << "NUL";
}

TEST(Connect, EmptyClientIdNeedsACleanSessionIn311) {
  EXPECT_EQ(Parsed("0004'MQTT' 04 00 0000 0000").fault.connack, ConnectReturn::identifier_rejected);
  EXPECT_FALSE(Parsed("0004'MQTT' 04 02 0000 0000").fault);
  EXPECT_FALSE(Parsed("0004'MQTT' 05 00 0000 00 0000").fault) << "a 5.0 server may assign one";
}

TEST(Connect, AuthenticationDataNeedsAMethod) {
  EXPECT_EQ(Parsed("0004'MQTT' 05 02 0000 [16 0001 00] 0001'd'").fault.reason, Reason::protocol_error);
  EXPECT_FALSE(Parsed("0004'MQTT' 05 02 0000 [15 0001'm' 16 0001 00] 0001'd'").fault);
}

TEST(Connect, TheLengthMustBeShortIn5) {
  const testing::Buffer body = hex("0004'MQTT' 05 02 0000 00 0001'd'");
  Connect connect;
  EXPECT_TRUE(parse_connect({PacketType::connect, 0, body, body.size() + 3, false}, connect));
}

struct ParsedAnswer {
  testing::Buffer body;
  Connack connack;
  Fault fault;

  ParsedAnswer(Version version, std::string_view literal) : body(hex(literal)) {
    fault = parse_connack({PacketType::connack, 0, body, body.size() + 2, true}, version, connack);
  }
};

TEST(Connack, ReadsBothForms) {
  const ParsedAnswer three(Version::v3_1_1, "01 00");
  ASSERT_FALSE(three.fault);
  EXPECT_TRUE(three.connack.session_present);
  const ParsedAnswer five(Version::v5, "00 00 [13 001E]");
  ASSERT_FALSE(five.fault);
  EXPECT_EQ(five.connack.properties.number(Property::server_keep_alive, 0), 30u);
}

TEST(Connack, RefusesWhatAServerMayNotSay) {
  EXPECT_TRUE(ParsedAnswer(Version::v3_1_1, "02 00").fault);
  EXPECT_TRUE(ParsedAnswer(Version::v3_1_1, "00 06").fault);
  EXPECT_TRUE(ParsedAnswer(Version::v3_1_1, "00").fault);
  EXPECT_TRUE(ParsedAnswer(Version::v3_1_1, "00 00 00").fault);
  EXPECT_TRUE(ParsedAnswer(Version::v3_1_1, "01 05").fault);
  EXPECT_TRUE(ParsedAnswer(Version::v5, "00 00").fault);
}

}  // namespace
}  // namespace godwit::mqtt
