// MQTT over TLS, and over WebSocket over TLS.
#include <gtest/gtest.h>

#include "plugins/selfconn/testing/certificate.hpp"
#include "plugins/selfconn/testing/plugin_file.hpp"
#include "plugins/selfconn/testing/running_gateway.hpp"

namespace selfconn::testing {
namespace {

struct TlsGateway : Certificate, RunningGateway {
  TlsGateway()
      : RunningGateway(
            R"({"reactors": 4, "tls": {"listen": "127.0.0.1:0", "websocket": "127.0.0.1:0", "cert_file": ")" +
            cert_file() + R"(", "key_file": ")" + key_file() + R"("}})") {}
};

void live_a_whole_life(RunningGateway& gateway, Device device, const std::string& name) {
  ASSERT_EQ(device.connect({.device = name}).code, 0);
  ASSERT_TRUE(gateway.wait([&] { return gateway.presence("demo/" + name) == "on"; }));
  for (int i = 0; i < 3; ++i) {
    const uint64_t ticket =
        gateway.push("demo/" + name, {.content = R"({"data":{"x":")" + std::string(40'000, 'x') + R"("}})"});
    device.puback(device.receive());
    EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_DELIVERED});
  }
  device.send("E000");
  EXPECT_TRUE(device.is_closed());
  EXPECT_TRUE(gateway.wait([&] { return gateway.presence("demo/" + name) == "on off"; }));
}

TEST(TlsListener, CarriesADevicesWholeLife) {
  TlsGateway gateway;
  live_a_whole_life(gateway, Device(open_tls(gateway.port("tls"))), "thirteen");
  live_a_whole_life(gateway, Device(open_tls(gateway.port("tls"), {.max_version = 0x0303})), "twelve");
}

TEST(TlsListener, CarriesWebSocketsToo) {
  TlsGateway gateway;
  live_a_whole_life(gateway, Device(open_websocket(open_tls(gateway.port("wss"), {.alpn = "http/1.1"}))), "web");
}

TEST(TlsListener, AgreesOnMqttAndAcceptsClientsThatSayNothing) {
  TlsGateway gateway;
  for (const auto& [offered, agreed] : {std::pair<std::string, std::string>{"mqtt", "mqtt"}, {"", ""}, {"h2", ""}}) {
    Device device(open_tls(gateway.port("tls"), {.alpn = offered}));
    EXPECT_EQ(alpn_of(device.wire()), agreed);
    EXPECT_EQ(device.connect({}).code, 0);
  }
}

TEST(TlsListener, ASessionIsResumedByItsTicket) {
  TlsGateway gateway;
  std::shared_ptr<TlsSession> session;
  {
    Device first(open_tls(gateway.port("tls")));
    ASSERT_EQ(first.connect({}).code, 0);  // the ticket comes before the CONNACK
    EXPECT_FALSE(was_resumed(first.wire()));
    session = session_of(first.wire());
  }
  Device second(open_tls(gateway.port("tls"), {.resume = session}));
  ASSERT_EQ(second.connect({}).code, 0);
  EXPECT_TRUE(was_resumed(second.wire()));
}

TEST(TlsListener, ARenewedCertificateIsGivenToNewConnections) {
  TlsGateway gateway;
  Device before(open_tls(gateway.port("tls")));
  ASSERT_EQ(before.connect({.device = "before", .keep_alive_s = 600}).code, 0);
  const std::string old = certificate_of(before.wire());
  gateway.renew(Certificate::Part::certificate);  // as far as a renewal program may have come: the key is the old one
  gateway.pass(61);
  EXPECT_EQ(certificate_of(*open_tls(gateway.port("tls"))), old);
  gateway.renew(Certificate::Part::key);
  EXPECT_TRUE(gateway.wait_and_pass([&] { return certificate_of(*open_tls(gateway.port("tls"))) != old; }));
  before.send("C000");
  EXPECT_EQ(before.receive().type(), mqtt::PacketType::pingresp);
}

TEST(TlsListener, WhatIsNoTlsIsClosed) {
  TlsGateway gateway;
  Device device(gateway.port("tls"));
  device.send(connect_packet({}));
  uint8_t room[512];
  while (device.wire().receive(room) > 0) {  // an alert, then the end
  }
  EXPECT_TRUE(device.has_ended());
}

TEST(TlsListener, AnUnfinishedHandshakeIsCutOff) {
  TlsGateway gateway;
  Device device(gateway.port("tls"));
  device.send("16 0301 00");
  EXPECT_TRUE(gateway.wait_and_pass([&] { return device.has_ended(); }));
}

TEST(TlsListener, AMissingCertificateIsNamed) {
  godwit::testhost::Instance instance(load_selfconn());
  ASSERT_EQ(instance.create(R"({"tls": {"listen": "127.0.0.1:0", "cert_file": "/none.pem", "key_file": "/none.key"}})"),
            GW_OK);
  EXPECT_NE(instance.start(), GW_OK);
  ASSERT_EQ(instance.diag().lines().size(), 1u);
  EXPECT_EQ(instance.diag().lines()[0].where, "/tls/cert_file");
  EXPECT_NE(instance.diag().text().find("/none.pem"), std::string::npos);
}

TEST(TlsListener, NeedsBothFiles) {
  godwit::testhost::DiagLog diag;
  const std::string config = R"({"tls": {"listen": "127.0.0.1:8883", "cert_file": "x"}})";
  godwit::testhost::Instance instance(load_selfconn());
  EXPECT_EQ(instance.ops().check_config({config.data(), config.size()}, diag.get()), GW_E_INVALID);
  EXPECT_EQ(diag.lines()[0].where, "/tls");
}

}  // namespace
}  // namespace selfconn::testing
