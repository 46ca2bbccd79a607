// What outlives a connection (selfconn.md, section 5).
#include <gtest/gtest.h>

#include "plugins/selfconn/testing/running_gateway.hpp"

namespace selfconn::testing {
namespace {

constexpr auto v3 = Version::v3_1_1;
constexpr auto v5 = Version::v5;

const Hello kKept5{.clean_start = false, .session_expiry_s = 3600};
const Hello kKept3{.version = v3, .clean_start = false};

// Connects, is known, and leaves again.
void come_and_go(RunningGateway& gateway, const Hello& hello, std::string_view leave = "E000") {
  auto device = gateway.device(hello);
  device.send(leave);
  EXPECT_TRUE(device.is_closed());
  EXPECT_TRUE(gateway.wait([&] { return gateway.presence("demo/d1").ends_with("off"); }));
}

bool session_present(RunningGateway& gateway, const Hello& hello) {
  Device device(gateway.port());
  const auto connack = device.connect(hello);
  EXPECT_EQ(connack.code, 0);
  return connack.session_present;
}

TEST(Session, IsPresentWhenItWasToBeKept) {
  for (const Hello& hello : {kKept5, kKept3}) {
    RunningGateway gateway;
    EXPECT_FALSE(session_present(gateway, {.device = "other", .clean_start = false}));
    come_and_go(gateway, hello);
    EXPECT_TRUE(session_present(gateway, hello));
  }
}

TEST(Session, EndsWithTheConnectionUnlessAskedFor) {
  RunningGateway gateway;
  come_and_go(gateway, {.clean_start = false});
  EXPECT_FALSE(session_present(gateway, kKept5)) << "no expiry in 5.0";
  RunningGateway another;
  come_and_go(another, {.version = v3, .clean_start = true});
  EXPECT_FALSE(session_present(another, kKept3));
}

TEST(Session, ACleanStartEndsIt) {
  RunningGateway gateway;
  come_and_go(gateway, kKept5);
  come_and_go(gateway, {.clean_start = true});
  EXPECT_FALSE(session_present(gateway, kKept5));
}

TEST(Session, EndsAfterItsExpiryAndNotLaterThanTheGatewayGrants) {
  RunningGateway gateway(R"({"offline_hold": 60})");
  auto other = gateway.device({.device = "other", .keep_alive_s = 1800});  // time passes while somebody is there
  come_and_go(gateway, kKept5);
  gateway.pass(50);
  EXPECT_TRUE(other.is_quiet());
  come_and_go(gateway, kKept5);
  gateway.pass(61);
  EXPECT_TRUE(other.is_quiet());
  EXPECT_FALSE(session_present(gateway, kKept5));
}

TEST(Session, DisconnectMayChangeTheExpiry) {
  RunningGateway gateway;
  come_and_go(gateway, kKept5, "E0 07 00 05 11 00000000");
  EXPECT_FALSE(session_present(gateway, kKept5));
}

TEST(Session, AnUnacknowledgedMessageComesAgainUnderItsOldPacketIdWithDup) {
  for (const Hello& hello : {kKept5, kKept3}) {
    RunningGateway gateway;
    uint16_t old_id = 0;
    {
      auto device = gateway.device(hello);
      gateway.push("demo/d1", {.message_id = "01JD0000000000000000000001"});
      const Packet first = device.receive();
      const uint64_t lost = gateway.push("demo/d1", {.message_id = "01JD0000000000000000000002"});
      device.puback(first);
      old_id = device.receive().publish(hello.version).packet_id;
      device.close();
      EXPECT_EQ(gateway.outcome(lost).disposition, uint32_t{GW_UNKNOWN});
    }
    Device again(gateway.port());
    EXPECT_TRUE(again.connect(hello).session_present);
    gateway.wait_heard(GW_EVENT_PRESENCE, 3);
    gateway.push("demo/d1", {.message_id = "01JD0000000000000000000003"});
    const uint64_t ticket = gateway.push("demo/d1", {.message_id = "01JD0000000000000000000002", .attempt = 2});
    const Packet fresh = again.receive(), repeated = again.receive();
    EXPECT_FALSE(fresh.publish(hello.version).dup);
    EXPECT_NE(fresh.publish(hello.version).packet_id, old_id) << "spoken for";
    EXPECT_TRUE(repeated.publish(hello.version).dup);
    EXPECT_EQ(repeated.publish(hello.version).packet_id, old_id);
    again.puback(repeated);
    EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_DELIVERED});
  }
}

TEST(Session, WithoutOneAMessageComesAgainAsNew) {
  RunningGateway gateway;
  {
    auto device = gateway.device();
    const uint64_t lost = gateway.push("demo/d1");
    device.receive();
    device.close();
    EXPECT_EQ(gateway.outcome(lost).disposition, uint32_t{GW_UNKNOWN});
  }
  auto again = gateway.device();
  gateway.push("demo/d1", {.attempt = 2});
  EXPECT_FALSE(again.receive().publish(v5).dup);
}

TEST(Session, SurvivesATakeover) {
  RunningGateway gateway;
  auto first = gateway.device(kKept5);
  gateway.push("demo/d1");
  const uint16_t old_id = first.receive().publish(v5).packet_id;
  Device second(gateway.port());
  EXPECT_TRUE(second.connect(kKept5).session_present);
  gateway.wait_heard(GW_EVENT_PRESENCE, 2);
  gateway.push("demo/d1", {.attempt = 2});
  const Packet repeated = second.receive();
  EXPECT_TRUE(repeated.publish(v5).dup);
  EXPECT_EQ(repeated.publish(v5).packet_id, old_id);
}

TEST(Session, AQos2EventIsHandedOverOnceAcrossConnections) {
  RunningGateway gateway;
  const Buffer event = packet(0x34, "000D'godwit/events' 0009 00 '{\"message_id\":\"m1\",\"event\":\"opened\"}'");
  {
    auto device = gateway.device(kKept5);
    device.send(event);
    EXPECT_EQ(device.receive().ack(v5).type, mqtt::PacketType::pubrec);
  }
  ASSERT_TRUE(gateway.wait([&] { return gateway.presence("demo/d1") == "on off"; }));
  auto again = gateway.device(kKept5);
  Buffer repeated = event;
  repeated[0] |= 8;
  again.send(repeated);
  EXPECT_EQ(again.receive().ack(v5).type, mqtt::PacketType::pubrec);
  again.send(packet(0x62, "0009"));
  EXPECT_EQ(again.receive().ack(v5).reason, mqtt::Reason::success);
  EXPECT_EQ(gateway.heard(GW_EVENT_RECEIPT).size(), 1u);
}

}  // namespace
}  // namespace selfconn::testing
