// MQTT over WebSocket (selfconn.md, section 14).
#include <gtest/gtest.h>

#include "plugins/selfconn/testing/running_gateway.hpp"

namespace selfconn::testing {
namespace {

const std::string kConfig = R"({"websocket": "127.0.0.1:0", "reactors": 4})";

void say(Wire& wire, const std::string& text) {
  wire.send({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

std::string everything(Wire& wire) {
  std::string all;
  uint8_t room[4096];
  for (long n; (n = wire.receive(room)) > 0;) all.append(reinterpret_cast<const char*>(room), static_cast<size_t>(n));
  return all;
}

TEST(WebSocketListener, CarriesADevicesWholeLife) {
  RunningGateway gateway(kConfig);
  for (size_t frame_size : {size_t{1}, size_t{3}, SIZE_MAX}) {
    const std::string name = "d" + std::to_string(frame_size);
    Device device(open_websocket(open_tcp(gateway.port("websocket")), frame_size));
    ASSERT_EQ(device.connect({.device = name}).code, 0);
    ASSERT_TRUE(gateway.wait([&] { return gateway.presence("demo/" + name) == "on"; }));
    const uint64_t ticket = gateway.push("demo/" + name);
    device.puback(device.receive());
    EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_DELIVERED});
    device.send("E000");
    EXPECT_TRUE(device.is_closed());
    EXPECT_TRUE(gateway.wait([&] { return gateway.presence("demo/" + name) == "on off"; }));
  }
}

TEST(WebSocketListener, ManyPacketsMayBePackedIntoOneFrame) {
  RunningGateway gateway(kConfig);
  Device device(open_websocket(open_tcp(gateway.port("websocket"))));
  Buffer all = connect_packet({});
  for (int i = 0; i < 100; ++i) all.insert(all.end(), {0xC0, 0x00});
  device.send(all);
  EXPECT_EQ(device.receive().connack(Version::v5).code, 0);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(device.receive().type(), mqtt::PacketType::pingresp);
}

TEST(WebSocketListener, LargeMessagesArriveWhole) {
  RunningGateway gateway(kConfig);
  Device device(open_websocket(open_tcp(gateway.port("websocket"), 4096)));
  ASSERT_EQ(device.connect({}).code, 0);
  gateway.wait_heard(GW_EVENT_PRESENCE, 1);
  std::vector<uint64_t> tickets;
  for (int i = 0; i < 8; ++i)  // more than the socket takes at once
    tickets.push_back(gateway.push("demo/d1", {.content = R"({"data":{"x":")" + std::string(60'000, 'x') + R"("}})"}));
  for (uint64_t ticket : tickets) {
    const Packet packet = device.receive();
    EXPECT_GT(packet.publish(Version::v5).payload.size(), 60'000u);
    device.puback(packet);
    EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_DELIVERED});
  }
}

TEST(WebSocketListener, PingsAreAnsweredAndCloseIsEchoed) {
  RunningGateway gateway(kConfig);
  auto wire = open_tcp(gateway.port("websocket"));
  say(*wire, upgrade_request());
  wire->send(hex("89 82 00000000 'hi' 8A 80 00000000 88 82 00000000 03E8"));
  const std::string all = everything(*wire);
  const size_t end = all.find("\r\n\r\n");
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(all.substr(end + 4), std::string("\x8A\x02hi\x88\x02\x03\xE8", 8));
}

TEST(WebSocketListener, BreachesAreClosedWithTheirCode) {
  RunningGateway gateway(kConfig);
  struct Case {
    const char* frame;
    uint16_t code;
  };
  for (const Case& c : {Case{"81 81 00000000 'x'", 1003}, Case{"82 01 'x'", 1002}, Case{"C2 81 00000000 'x'", 1002}}) {
    auto wire = open_tcp(gateway.port("websocket"));
    say(*wire, upgrade_request());
    wire->send(hex(c.frame));
    const std::string all = everything(*wire);
    ASSERT_GE(all.size(), 4u);
    EXPECT_EQ(static_cast<uint8_t>(all[all.size() - 2]) << 8 | static_cast<uint8_t>(all.back()), c.code) << c.frame;
  }
}

TEST(WebSocketListener, WhatIsNoUpgradeIsAnsweredByHttp) {
  RunningGateway gateway(kConfig);
  for (const auto& [request, status] : {std::pair{upgrade_request("/other"), "404"},
                                        {upgrade_request("/mqtt", "chat"), "400"},
                                        {std::string("GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n"), "426"},
                                        {std::string(10'000, 'x'), "431"}}) {
    auto wire = open_tcp(gateway.port("websocket"));
    say(*wire, request);
    const std::string all = everything(*wire);
    EXPECT_EQ(all.substr(9, 3), status) << all;
  }
}

TEST(WebSocketListener, AConnectionThatOnlyShakesHandsIsCutOff) {
  RunningGateway gateway(kConfig);
  auto wire = open_tcp(gateway.port("websocket"));
  say(*wire, upgrade_request());
  uint8_t room[512];
  ASSERT_GT(wire->receive(room), 0);  // the answer to the upgrade
  Device device(std::move(wire));
  EXPECT_TRUE(gateway.wait_and_pass([&] { return device.has_ended(); }));
}

TEST(WebSocketListener, TheLastWordOfMqttAndOfWebSocketBothArrive) {
  RunningGateway gateway(kConfig);
  Device first(open_websocket(open_tcp(gateway.port("websocket"))));
  ASSERT_EQ(first.connect({}).code, 0);
  gateway.wait_heard(GW_EVENT_PRESENCE, 1);
  auto second = gateway.device();
  EXPECT_EQ(first.receive().disconnect().reason, mqtt::Reason::session_taken_over);
  EXPECT_TRUE(first.is_closed());
}

}  // namespace
}  // namespace selfconn::testing
