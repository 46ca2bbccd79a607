// What devices say: events, subscriptions, and breaches of the protocol.
#include <gtest/gtest.h>

#include "plugins/selfconn/testing/running_gateway.hpp"

namespace selfconn::testing {
namespace {

using mqtt::PacketType;
using mqtt::Reason;

Buffer event_packet(Version version, int qos, uint16_t id, const std::string& payload,
                    const std::string& topic = "godwit/events") {
  mqtt::Publish publish;
  publish.qos = static_cast<uint8_t>(qos);
  publish.packet_id = id;
  publish.topic = topic;
  publish.payload = mqtt::Bytes(reinterpret_cast<const uint8_t*>(payload.data()), payload.size());
  Buffer out(mqtt::size_of(publish, version));
  mqtt::write(publish, version, out);
  return out;
}
const std::string kOpened = R"({"message_id":"01JD0000000000000000000001","event":"opened"})";

TEST(Events, OpenedBecomesAReceiptAndIsAcknowledged) {
  for (Version version : {Version::v3_1_1, Version::v5}) {
    RunningGateway gateway;
    auto device = gateway.device({.version = version});
    device.send(event_packet(version, 1, 7, kOpened));
    const mqtt::Ack ack = device.receive().ack(version);
    EXPECT_EQ(ack.type, PacketType::puback);
    EXPECT_EQ(ack.packet_id, 7);
    EXPECT_EQ(ack.reason, Reason::success);
    const auto heard = gateway.heard(GW_EVENT_RECEIPT);
    ASSERT_EQ(heard.size(), 1u) << "before the PUBACK";
    EXPECT_EQ(heard[0].subkind, uint32_t{GW_RECEIPT_OPENED});
    EXPECT_EQ(heard[0].flags, uint32_t{GW_EVENT_BY_DEVICE});
    EXPECT_EQ(heard[0].address, "demo/d1");
    EXPECT_EQ(heard[0].message_id, "01JD0000000000000000000001");
  }
}

TEST(Events, RepeatsBearTheSameEventIdAndOthersAnother) {
  RunningGateway gateway;
  auto device = gateway.device();
  for (const char* event : {"opened", "opened", "dismissed", "displayed", "delivered"})
    device.send(event_packet(Version::v5, 0, 0, R"({"message_id":"m1","event":")" + std::string(event) + "\"}"));
  const auto heard = gateway.wait_heard(GW_EVENT_RECEIPT, 5);
  EXPECT_EQ(heard[0].event_id, heard[1].event_id);
  EXPECT_NE(heard[1].event_id, heard[2].event_id);
  EXPECT_EQ(heard[2].subkind, uint32_t{GW_RECEIPT_DISMISSED});
  EXPECT_EQ(heard[3].subkind, uint32_t{GW_RECEIPT_DISPLAYED});
  EXPECT_EQ(heard[4].subkind, uint32_t{GW_RECEIPT_DELIVERED});
}

TEST(Events, TheTimeMayBeSaidInTwoWays) {
  RunningGateway gateway;
  auto device = gateway.device();
  device.send(event_packet(Version::v5, 0, 0, R"({"message_id":"m1","event":"opened","at":1790000000123})"));
  device.send(event_packet(Version::v5, 0, 0, R"({"message_id":"m2","event":"opened","at":"2026-11-21T08:00:00.5Z"})"));
  const auto heard = gateway.wait_heard(GW_EVENT_RECEIPT, 2);
  EXPECT_EQ(heard[0].at_wall_ms, 1'790'000'000'123u);
  EXPECT_EQ(heard[1].at_wall_ms, 1'795'248'000'500u);
}

TEST(Events, TheAcknowledgementWaitsUntilTheHostHasRoom) {
  RunningGateway gateway;
  auto device = gateway.device();
  gateway.host().refuse_events(1);
  device.send(event_packet(Version::v5, 1, 7, kOpened));
  EXPECT_TRUE(device.is_quiet());
  EXPECT_TRUE(gateway.heard(GW_EVENT_RECEIPT).empty());
  EXPECT_EQ(gateway.wait_heard(GW_EVENT_RECEIPT, 1).size(), 1u);
  EXPECT_EQ(device.receive().ack(Version::v5).packet_id, 7);
}

TEST(Events, WhatIsNoEventIsRefusedInVersion5AndSwallowedIn311) {
  RunningGateway gateway;
  auto five = gateway.device({.device = "five"});
  auto three = gateway.device({.device = "three", .version = Version::v3_1_1});
  for (const char* bad :
       {"", "[]", "opened", R"({"event":"opened"})", R"({"message_id":"m"})", R"({"message_id":"m","event":"eaten"})",
        R"({"message_id":1,"event":"opened"})", R"({"message_id":"m","event":"opened","at":"soon"})",
        R"({"message_id":"m","event":"opened")"}) {
    five.send(event_packet(Version::v5, 1, 3, bad));
    EXPECT_EQ(five.receive().ack(Version::v5).reason, Reason::payload_format_invalid) << bad;
    three.send(event_packet(Version::v3_1_1, 1, 3, bad));
    EXPECT_EQ(three.receive().ack(Version::v3_1_1).packet_id, 3) << bad;
  }
  EXPECT_TRUE(gateway.heard(GW_EVENT_RECEIPT).empty());
}

TEST(Events, OtherTopicsAreNotAuthorized) {
  RunningGateway gateway;
  auto device = gateway.device();
  for (const char* topic : {"godwit/inbox", "godwit/events/x", "other"}) {
    device.send(event_packet(Version::v5, 1, 3, kOpened, topic));
    EXPECT_EQ(device.receive().ack(Version::v5).reason, Reason::not_authorized) << topic;
  }
  device.send(event_packet(Version::v5, 2, 4, kOpened, "other"));
  const mqtt::Ack ack = device.receive().ack(Version::v5);
  EXPECT_EQ(ack.type, PacketType::pubrec);
  EXPECT_EQ(ack.reason, Reason::not_authorized);
}

TEST(Events, Qos2IsHandedOverOnce) {
  RunningGateway gateway;
  auto device = gateway.device();
  device.send(event_packet(Version::v5, 2, 9, kOpened));
  EXPECT_EQ(device.receive().ack(Version::v5).type, PacketType::pubrec);
  device.send(event_packet(Version::v5, 2, 9, kOpened));
  EXPECT_EQ(device.receive().ack(Version::v5).type, PacketType::pubrec);
  device.send(packet(0x62, "0009"));
  const mqtt::Ack end = device.receive().ack(Version::v5);
  EXPECT_EQ(end.type, PacketType::pubcomp);
  EXPECT_EQ(end.reason, Reason::success);
  device.send(packet(0x62, "0009"));
  EXPECT_EQ(device.receive().ack(Version::v5).reason, Reason::packet_identifier_not_found);
  EXPECT_EQ(gateway.heard(GW_EVENT_RECEIPT).size(), 1u);
}

TEST(Events, ADeviceThatSendsTooFastIsReadMoreSlowlyAndLosesNothing) {
  RunningGateway gateway;
  auto device = gateway.device();
  Buffer flood;
  for (int i = 0; i < 230; ++i) {
    const Buffer one =
        event_packet(Version::v5, 0, 0, R"({"message_id":"m)" + std::to_string(i) + R"(","event":"opened"})");
    flood.insert(flood.end(), one.begin(), one.end());
  }
  device.send(flood);
  gateway.wait_heard(GW_EVENT_RECEIPT, 200);
  for (int i = 0; i < 4 * 8; ++i) gateway.pass(1);
  EXPECT_EQ(gateway.wait_heard(GW_EVENT_RECEIPT, 230).size(), 230u);
  EXPECT_TRUE(device.is_quiet());
}

TEST(Subscribe, TheInboxIsGrantedUpToQos1) {
  RunningGateway gateway;
  auto device = gateway.device();
  device.send(packet(0x82, "0005 00 000C'godwit/inbox' 02 0001'#' 01 000C'godwit/inbox' 00 0003'a/b' 01"));
  const Packet answer = device.receive();
  EXPECT_EQ(answer.type(), PacketType::suback);
  const auto codes = answer.answers(Version::v5).codes;
  EXPECT_EQ(Buffer(codes.begin(), codes.end()), hex("01 01 00 87"));
}

TEST(Subscribe, OtherFiltersAreRefusedWithTheirOwnReasons) {
  RunningGateway gateway;
  auto five = gateway.device({.device = "five"});
  five.send(packet(0x82, "0005 00 0008'$share/g' 00"));
  EXPECT_EQ(five.receive().disconnect().reason, Reason::malformed_packet);
  auto again = gateway.device({.device = "again"});
  again.send(packet(0x82, "0005 00 0015'$share/g/godwit/inbox' 00"));
  EXPECT_EQ(again.receive().answers(Version::v5).codes[0], 0x9E);
  again.send(packet(0x82, "0005 [0B 01] 000C'godwit/inbox' 00"));
  EXPECT_EQ(again.receive().answers(Version::v5).codes[0], 0xA1);
  auto three = gateway.device({.device = "three", .version = Version::v3_1_1});
  three.send(packet(0x82, "0005 0003'a/b' 01"));
  EXPECT_EQ(three.receive().answers(Version::v3_1_1).codes[0], 0x80);
}

TEST(Subscribe, UnsubscribeSaysWhatWasThereAndMessagesStillCome) {
  RunningGateway gateway;
  auto device = gateway.device();
  device.send(packet(0x82, "0005 00 000C'godwit/inbox' 01"));
  device.receive();
  device.send(packet(0xA2, "0006 00 000C'godwit/inbox' 0001'x'"));
  const Packet answer = device.receive();
  const auto codes = answer.answers(Version::v5).codes;
  EXPECT_EQ(Buffer(codes.begin(), codes.end()), hex("00 11"));
  gateway.push("demo/d1");
  EXPECT_EQ(device.receive().type(), PacketType::publish);
}

struct Breach {
  const char* name;
  Buffer bytes;
  Reason reason;
};

// The rows of the error table that need a connection (selfconn.md, section 12).
std::vector<Breach> breaches() {
  return {
      {"row 2: type 0", hex("00 00"), Reason::malformed_packet},
      {"row 3: flags", hex("C1 00"), Reason::malformed_packet},
      {"row 4: five bytes of length", hex("30 FFFFFFFF01"), Reason::malformed_packet},
      {"row 5: too large", hex("30 818004"), Reason::packet_too_large},
      {"row 6: a ping with a body", packet(0xC0, "00"), Reason::malformed_packet},
      {"row 6: cut off", packet(0x30, "0005'a'"), Reason::malformed_packet},
      {"row 7: CONNACK", packet(0x20, "0000 00"), Reason::protocol_error},
      {"row 7: PINGRESP", hex("D000"), Reason::protocol_error},
      {"row 8: a second CONNECT", connect_packet({}), Reason::protocol_error},
      {"row 16: AUTH", packet(0xF0, "18 [15 0001'm']"), Reason::protocol_error},
      {"row 17: duplicate property", packet(0x30, "0001'a' [01 00 01 00]"), Reason::protocol_error},
      {"row 18: misplaced property", packet(0x30, "0001'a' [13 0001]"), Reason::malformed_packet},
      {"row 19: QoS 3", packet(0x36, "0001'a' 0001 00"), Reason::malformed_packet},
      {"row 20: packet id 0", packet(0x32, "0001'a' 0000 00"), Reason::protocol_error},
      {"row 21: wildcard in a topic", packet(0x30, "0001'#' 00"), Reason::malformed_packet},
      {"row 22: topic alias", packet(0x30, "0001'a' [23 0001]"), Reason::topic_alias_invalid},
      {"row 23: subscription identifier", packet(0x30, "0001'a' [0B 01]"), Reason::protocol_error},
      {"row 25: retain", packet(0x31, "0001'a' 00"), Reason::retain_not_supported},
      {"row 26: PUBACK of id 0", packet(0x40, "0000"), Reason::protocol_error},
      {"row 26: a code that PUBACK cannot carry", packet(0x40, "0001 9D"), Reason::protocol_error},
      {"row 26: PUBREC for QoS 1", packet(0x50, "0001"), Reason::protocol_error},
      {"row 26: PUBCOMP for QoS 1", packet(0x70, "0001"), Reason::protocol_error},
      {"row 27: short PUBACK", packet(0x40, "00"), Reason::malformed_packet},
      {"row 28: empty SUBSCRIBE", packet(0x82, "0001 00"), Reason::malformed_packet},
      {"row 28: flags of SUBSCRIBE", packet(0x80, "0001 00 0001'a' 00"), Reason::malformed_packet},
      {"row 29: Retain Handling 3", packet(0x82, "0001 00 0001'a' 30"), Reason::protocol_error},
      {"row 31: a server's code", packet(0xE0, "8B"), Reason::protocol_error},
      {"row 31: expiry raised from 0", packet(0xE0, "00 [11 0000000A]"), Reason::protocol_error},
  };
}

TEST(Breach, Version5IsToldTheReasonThenClosed) {
  RunningGateway gateway;
  for (const Breach& breach : breaches()) {
    SCOPED_TRACE(breach.name);
    auto device = gateway.device();
    device.send(breach.bytes);
    EXPECT_EQ(device.receive().disconnect().reason, breach.reason);
    EXPECT_TRUE(device.is_closed());
    ASSERT_TRUE(gateway.wait([&] { return gateway.presence("demo/d1").ends_with("off"); }));
  }
}

TEST(Breach, Version311IsClosedWithoutAPacket) {
  RunningGateway gateway;
  for (const Buffer& bytes :
       {hex("00 00"), hex("F0 00"), hex("C1 00"), hex("30 FFFFFFFF01"), hex("30 818004"), packet(0xC0, "00"),
        packet(0xE0, "00"), packet(0x20, "0000"), connect_packet({.version = Version::v3_1_1}),
        packet(0x36, "0001'a' 0001"), packet(0x32, "0001'a' 0000"), packet(0x30, "0000"), packet(0x30, "0001'#'"),
        packet(0x40, "0000"), packet(0x50, "0001"), packet(0x40, "0001 00"), packet(0x82, "0001"),
        packet(0x82, "0001 0001'a' 03")}) {
    auto device = gateway.device({.version = Version::v3_1_1});
    device.send(bytes);
    EXPECT_TRUE(device.is_closed()) << std::hex << int{bytes[0]};
    ASSERT_TRUE(gateway.wait([&] { return gateway.presence("demo/d1").ends_with("off"); }));
  }
}

TEST(Breach, MoreUnacknowledgedThanReceiveMaximum) {
  RunningGateway gateway;
  auto device = gateway.device();
  gateway.host().refuse_events(1);
  for (uint16_t id = 1; id <= 17; ++id) device.send(event_packet(Version::v5, 1, id, kOpened));
  EXPECT_EQ(device.receive().disconnect().reason, Reason::receive_maximum_exceeded);
}

TEST(Breach, RetainIsIgnoredIn311) {
  RunningGateway gateway;
  auto device = gateway.device({.version = Version::v3_1_1});
  device.send(packet(0x31, "000D'godwit/events' '" + kOpened + "'"));
  EXPECT_EQ(gateway.wait_heard(GW_EVENT_RECEIPT, 1).size(), 1u);
}

TEST(Breach, WhatFollowsDisconnectIsIgnored) {
  RunningGateway gateway;
  auto device = gateway.device();
  device.send("E000 C000");
  EXPECT_TRUE(device.is_closed());
}

}  // namespace
}  // namespace selfconn::testing
