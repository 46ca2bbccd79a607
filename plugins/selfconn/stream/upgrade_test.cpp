#include "plugins/selfconn/stream/upgrade.hpp"

#include <gtest/gtest.h>

namespace selfconn {
namespace {

using State = Upgrade::State;

// The example of RFC 6455, 1.3, with MQTT's subprotocol.
std::string request(std::string_view line = "GET /mqtt HTTP/1.1", std::string_view without = {},
                    std::string_view instead = {}) {
  std::string text = std::string(line) + "\r\n";
  for (std::string_view field : {"Host: server.example.com", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: http://example.com",
                                 "Sec-WebSocket-Protocol: mqttv3.1, mqtt", "Sec-WebSocket-Version: 13"})
    if (without.empty() || !field.starts_with(without)) text.append(field).append("\r\n");
  if (!instead.empty()) text.append(instead).append("\r\n");
  return text + "\r\n";
}

std::string status_of(const std::string& input) {
  const Upgrade upgrade = answer_upgrade(input);
  EXPECT_EQ(upgrade.state, State::refused);
  return upgrade.response.substr(9, 3);
}

TEST(Upgrade, AnswersTheExampleOfTheStandard) {
  const Upgrade upgrade = answer_upgrade(request() + "frames");
  ASSERT_EQ(upgrade.state, State::accepted);
  EXPECT_EQ(upgrade.request_size, request().size());
  EXPECT_NE(upgrade.response.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), std::string::npos);
  EXPECT_NE(upgrade.response.find("Sec-WebSocket-Protocol: mqtt\r\n"), std::string::npos);
  EXPECT_TRUE(upgrade.response.starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(upgrade.response.ends_with("\r\n\r\n"));
}

TEST(Upgrade, NamesOfFieldsAndTokensAreNotSensitiveToCase) {
  EXPECT_EQ(answer_upgrade(request("GET /mqtt?x=1 HTTP/1.1", "Upgrade", "UPGRADE:  WebSocket  ")).state,
            State::accepted);
}

TEST(Upgrade, EveryPrefixWaits) {
  const std::string whole = request();
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(answer_upgrade(std::string_view(whole).substr(0, length)).state, State::need_more) << length;
}

TEST(Upgrade, WithoutTheMqttSubprotocolItIsRefused) {
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.1", "Sec-WebSocket-Protocol")), "400");
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.1", "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat, MQTT")),
            "400");
}

TEST(Upgrade, WhatIsNoUpgradeIsRefusedWithItsReason) {
  EXPECT_EQ(status_of(request("GET / HTTP/1.1")), "404");
  EXPECT_EQ(status_of(request("POST /mqtt HTTP/1.1")), "400");
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.0")), "400");
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.1", "Host")), "400");
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.1", "Upgrade")), "426");
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.1", "Connection")), "426");
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.1", "Sec-WebSocket-Version", "Sec-WebSocket-Version: 8")), "426");
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.1", "Sec-WebSocket-Key")), "400");
  EXPECT_EQ(status_of(request("GET /mqtt HTTP/1.1", "Sec-WebSocket-Key", "Sec-WebSocket-Key: short==")), "400");
  EXPECT_EQ(status_of("nonsense\r\n\r\n"), "400");
  EXPECT_EQ(status_of("GET /mqtt HTTP/1.1\r\nno colon\r\n\r\n"), "400");
  EXPECT_EQ(status_of("GET /mqtt HTTP/1.1\r\n: x\r\n\r\n"), "400");
  EXPECT_EQ(status_of("\r\n\r\n"), "400");
}

TEST(Upgrade, ARequestWithoutEndIsRefusedAtEightKilobytes) {
  EXPECT_EQ(answer_upgrade(std::string(8191, 'x')).state, State::need_more);
  EXPECT_EQ(status_of(std::string(8192, 'x')), "431");
  EXPECT_EQ(status_of("GET /mqtt HTTP/1.1\r\nA: " + std::string(9000, 'x') + "\r\n\r\n"), "431");
}

}  // namespace
}  // namespace selfconn
