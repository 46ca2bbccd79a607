// Who is let in, and with which words the others are not.
#include <gtest/gtest.h>

#include "plugins/selfconn/testing/running_gateway.hpp"

namespace selfconn::testing {
namespace {

using mqtt::ConnectReturn;
using mqtt::Property;
using mqtt::Reason;

uint8_t code(Reason reason) {
  return static_cast<uint8_t>(reason);
}
uint8_t code(ConnectReturn value) {
  return static_cast<uint8_t>(value);
}

TEST(Connect, ADeviceWithItsCredentialIsLetInByBothVersions) {
  RunningGateway gateway;
  for (Version version : {Version::v3_1_1, Version::v5}) {
    Device device(gateway.port());
    const mqtt::Connack connack = device.connect({.version = version});
    EXPECT_EQ(connack.code, 0);
    EXPECT_FALSE(connack.session_present);
    EXPECT_TRUE(device.is_quiet());
  }
}

TEST(Connect, AVersion5ClientIsToldTheLimits) {
  RunningGateway gateway(R"({"keep_alive": 600, "keep_alive_first": 0, "keep_alive_min": 30, "offline_hold": 3600})");
  Device device(gateway.port());
  const auto p = device.connect({.keep_alive_s = 0, .session_expiry_s = 0xFFFFFFFF}).properties;
  EXPECT_EQ(p.number(Property::server_keep_alive, 0), 600u);
  EXPECT_EQ(p.number(Property::session_expiry_interval, 0), 3600u);
  EXPECT_EQ(p.number(Property::receive_maximum, 0), 16u);
  EXPECT_EQ(p.number(Property::maximum_packet_size, 0), 65'536u);
  EXPECT_EQ(p.number(Property::retain_available, 1), 0u);
  EXPECT_FALSE(p.has(Property::topic_alias_maximum));
}

TEST(Connect, ServerKeepAliveIsSentOnlyWhenItDiffers) {
  RunningGateway gateway(R"({"keep_alive": 600, "keep_alive_first": 0, "keep_alive_min": 30})");
  Device same(gateway.port()), longer(gateway.port());
  EXPECT_FALSE(same.connect({.device = "a", .keep_alive_s = 300}).properties.has(Property::server_keep_alive));
  EXPECT_EQ(longer.connect({.device = "b", .keep_alive_s = 5}).properties.number(Property::server_keep_alive, 0), 30u);
}

TEST(Connect, ABadCredentialIsRefused) {
  RunningGateway gateway;
  Device three(gateway.port()), five(gateway.port());
  EXPECT_EQ(three.connect({.credential = "nonsense", .version = Version::v3_1_1}).code,
            code(ConnectReturn::bad_user_name_or_password));
  EXPECT_TRUE(three.is_closed());
  EXPECT_EQ(five.connect({.credential = "nonsense"}).code, code(Reason::bad_user_name_or_password));
  EXPECT_TRUE(five.is_closed());
  EXPECT_TRUE(gateway.heard(GW_EVENT_PRESENCE).empty());
}

TEST(Connect, ACredentialOpensOnlyItsOwnDeviceAndApp) {
  RunningGateway gateway;
  Device other_device(gateway.port()), other_app(gateway.port()), three(gateway.port());
  EXPECT_EQ(other_device.connect({.device = "d1", .credential = "demo/d2"}).code, code(Reason::not_authorized));
  EXPECT_EQ(other_app.connect({.app = "demo", .credential = "shop/d1"}).code, code(Reason::not_authorized));
  EXPECT_EQ(three.connect({.credential = "demo/d2", .version = Version::v3_1_1}).code,
            code(ConnectReturn::not_authorized));
}

TEST(Connect, UserNameAndPasswordAreNeeded) {
  RunningGateway gateway;
  Device device(gateway.port());
  device.send(packet(0x10, "0004'MQTT' 05 02 003C 00 0002'd1'"));
  EXPECT_EQ(device.receive().connack(Version::v5).code, code(Reason::bad_user_name_or_password));
}

TEST(Connect, AClientIdIsNeededAndHasALimit) {
  RunningGateway gateway;
  for (const std::string& id : {std::string(), std::string(65, 'x')}) {
    Device device(gateway.port());
    EXPECT_EQ(device.connect({.device = id, .credential = "demo/" + id}).code,
              code(Reason::client_identifier_not_valid));
  }
  Device three(gateway.port());
  EXPECT_EQ(three.connect({.device = "", .credential = "demo/", .version = Version::v3_1_1}).code,
            code(ConnectReturn::identifier_rejected));
}

TEST(Connect, UnknownProtocolLevelsAreToldTheirNumber) {
  RunningGateway gateway;
  Device old(gateway.port()), future(gateway.port());
  old.send(packet(0x10, "0006'MQIsdp' 03 02 003C 0002'd1'"));
  EXPECT_EQ(old.receive().connack(Version::v3_1_1).code, code(ConnectReturn::unacceptable_protocol_version));
  future.send(packet(0x10, "0004'MQTT' 06 02 003C 00 0002'd1'"));
  EXPECT_EQ(future.receive().connack(Version::v5).code, code(Reason::unsupported_protocol_version));
}

TEST(Connect, WhatIsNotMqttIsClosedWithoutAWord) {
  RunningGateway gateway;
  for (const Buffer& bytes : {hex("'GET / HTTP/1.1' 0D0A 0D0A"), hex("C000"), hex("00"), packet(0x10, "0004'mqtt' 04"),
                              packet(0x20, "0000"), hex("10 FF7F"), packet(0x10, "0004'MQTT' 04 03 003C 0002'd1'")}) {
    Device device(gateway.port());
    device.send(bytes);
    EXPECT_TRUE(device.is_closed());
  }
}

TEST(Connect, AMalformedConnectOfVersion5IsToldSo) {
  RunningGateway gateway;
  Device device(gateway.port());
  device.send(packet(0x10, "0004'MQTT' 05 03 003C 00 0002'd1'"));
  EXPECT_EQ(device.receive().connack(Version::v5).code, code(Reason::malformed_packet));
  EXPECT_TRUE(device.is_closed());
}

TEST(Connect, AuthenticationMethodsAndRetainedWillsAreNotOffered) {
  RunningGateway gateway;
  Device method(gateway.port()), will(gateway.port());
  method.send(packet(0x10, "0004'MQTT' 05 02 003C [15 0004'HMAC'] 0002'd1'"));
  EXPECT_EQ(method.receive().connack(Version::v5).code, code(Reason::bad_authentication_method));
  will.send(packet(0x10, "0004'MQTT' 05 E6 003C 00 0002'd1' 00 0001'w' 0000 0004'demo' 0007'demo/d1'"));
  EXPECT_EQ(will.receive().connack(Version::v5).code, code(Reason::retain_not_supported));
}

TEST(Connect, AWillIsAccepted) {
  RunningGateway gateway;
  Device device(gateway.port());
  device.send(packet(0x10, "0004'MQTT' 05 C6 003C 00 0002'd1' 00 0001'w' 0000 0004'demo' 0007'demo/d1'"));
  EXPECT_EQ(device.receive().connack(Version::v5).code, 0);
}

TEST(Connect, NothingBehindARefusedConnectIsProcessed) {
  RunningGateway gateway;
  Device device(gateway.port());
  Buffer both = connect_packet({.credential = "nonsense"});
  const Buffer ping = hex("C000");
  both.insert(both.end(), ping.begin(), ping.end());
  device.send(both);
  EXPECT_NE(device.receive().connack(Version::v5).code, 0);
  EXPECT_TRUE(device.is_closed()) << "no PINGRESP";
}

TEST(Connect, PacketsRightBehindConnectAreAnswered) {
  RunningGateway gateway(R"({"reactors": 4})");
  for (int i = 0; i < 16; ++i) {  // some of them change to another thread on the way
    Device device(gateway.port());
    Buffer all = connect_packet({.device = "d" + std::to_string(i)});
    const Buffer ping = hex("C000 C000 C0");
    all.insert(all.end(), ping.begin(), ping.end());
    device.send(all);
    EXPECT_EQ(device.receive().connack(Version::v5).code, 0);
    EXPECT_EQ(device.receive().type(), mqtt::PacketType::pingresp);
    EXPECT_EQ(device.receive().type(), mqtt::PacketType::pingresp);
    device.send("00");
    EXPECT_EQ(device.receive().type(), mqtt::PacketType::pingresp);
  }
}

TEST(Connect, OneByteAtATimeWorksToo) {
  RunningGateway gateway;
  Device device(gateway.port());
  for (uint8_t byte : connect_packet({})) device.send(Buffer{byte});
  EXPECT_EQ(device.receive().connack(Version::v5).code, 0);
}

TEST(Connect, SilenceBeforeConnectIsCutOffAfterTenSeconds) {
  RunningGateway gateway;
  Device silent(gateway.port()), slow(gateway.port());
  slow.send("10 20 0004'MQ'");
  auto live = gateway.device({.keep_alive_s = 1800});
  gateway.pass(9);
  EXPECT_FALSE(silent.has_ended());
  EXPECT_FALSE(slow.has_ended());
  EXPECT_TRUE(live.is_quiet());
  EXPECT_TRUE(gateway.wait_and_pass([&] { return silent.has_ended() && slow.has_ended(); }));
  EXPECT_TRUE(live.is_quiet());
}

TEST(Connect, ThereIsALimitOfConnections) {
  RunningGateway gateway(R"({"max_connections": 2})");
  auto a = gateway.device({.device = "a"});
  auto b = gateway.device({.device = "b"});
  Device five(gateway.port()), three(gateway.port());
  EXPECT_EQ(five.connect({.device = "c"}).code, code(Reason::quota_exceeded));
  EXPECT_EQ(three.connect({.device = "c", .version = Version::v3_1_1}).code, code(ConnectReturn::server_unavailable));
  a.close();
  ASSERT_TRUE(gateway.wait([&] { return gateway.presence("demo/a") == "on off"; }));
  Device again(gateway.port());
  EXPECT_EQ(again.connect({.device = "c"}).code, 0);
}

TEST(Connect, OneAddressMayNotStorm) {
  RunningGateway gateway(R"({"connect_rate": 5, "reactors": 1})");
  int let_in = 0;
  for (int i = 0; i < 30; ++i) {
    Device device(gateway.port());
    device.send(connect_packet({.device = "d" + std::to_string(i)}));
    let_in += device.receive_or_end().has_value();
  }
  EXPECT_EQ(let_in, 10) << "two seconds' worth at once";
}

}  // namespace
}  // namespace selfconn::testing
