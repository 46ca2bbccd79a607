// Start, drain and stop of the whole channel.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "plugins/selfconn/testing/plugin_file.hpp"
#include "plugins/selfconn/testing/running_gateway.hpp"

namespace selfconn::testing {
namespace {

using mqtt::Reason;

TEST(Life, OpensItsWindowWhenReady) {
  RunningGateway gateway(R"({"window": 1234})");
  EXPECT_EQ(gateway.host().window(), 1234u);
}

TEST(Life, WithoutListeningSocketsItSaysWhatIsMissing) {
  godwit::testhost::Instance instance(load_selfconn());
  instance.host().withhold("godwit.io/1");
  ASSERT_EQ(instance.create("{}"), GW_OK);
  EXPECT_NE(instance.start(), GW_OK);
  const std::string text = instance.diag().text();
  EXPECT_NE(text.find("does not offer godwit.io/1"), std::string::npos) << text;
  EXPECT_EQ(text.find("exception"), std::string::npos) << text;
}

TEST(Life, WithoutCredentialsItDoesNotStart) {
  godwit::testhost::Instance instance(load_selfconn());
  instance.host().withhold("godwit.credential/1");
  ASSERT_EQ(instance.create("{}"), GW_OK);
  EXPECT_EQ(instance.start(), GW_E_UNSUPPORTED);
  EXPECT_NE(instance.diag().text().find("godwit.credential/1"), std::string::npos);
}

TEST(Life, BadConfigurationsAreNamed) {
  godwit::testhost::DiagLog diag;
  const std::string config =
      R"({"tcp": "127.0.0.1:99999", "keep_alive": 10, "keep_alive_min": 20, "server_moved": true})";
  godwit::testhost::Instance instance(load_selfconn());
  EXPECT_EQ(instance.ops().check_config({config.data(), config.size()}, diag.get()), GW_E_INVALID);
  ASSERT_EQ(diag.lines().size(), 3u);
  EXPECT_EQ(diag.lines()[0].where, "/tcp");
  EXPECT_EQ(diag.lines()[1].where, "/server_moved");
  EXPECT_EQ(diag.lines()[2].where, "/keep_alive_min");
}

// The end of a connection may be reported together with its last bytes; once the gateway then waited for another
// report.
TEST(Life, AnEndThatComesTogetherWithTheLastPacketIsNoticed) {
  RunningGateway gateway;
  std::vector<Device> devices;  // half closed: a closed socket would answer with a reset, and that is noticed
  for (int i = 0; i < 50; ++i) {
    devices.emplace_back(gateway.port());
    devices.back().send(connect_packet({.device = "d" + std::to_string(i)}));
    ::shutdown(devices.back().wire().fd(), SHUT_WR);
  }
  EXPECT_TRUE(gateway.wait([&] {
    for (int i = 0; i < 50; ++i)
      if (!gateway.presence("demo/d" + std::to_string(i)).ends_with("off")) return false;
    return true;
  }));
}

TEST(Life, DrainingSendsDevicesAwayAndEndsWhenAllAreGone) {
  RunningGateway gateway;
  auto five = gateway.device({.device = "five"});
  auto three = gateway.device({.device = "three", .version = Version::v3_1_1});
  gateway.host().lane().run_inside(
      [&] { gateway.ops().drain(gateway.self(), gateway.host().now_ns() + 30 * kSecond); });
  EXPECT_EQ(five.receive().disconnect().reason, Reason::server_shutting_down);
  EXPECT_TRUE(three.is_closed());
  five.close();
  EXPECT_TRUE(gateway.wait_and_pass([&] { return gateway.host().is_drained(); }));
  EXPECT_EQ(gateway.presence("demo/five"), "on off");
}

TEST(Life, DrainingNamesTheOtherServer) {
  RunningGateway gateway(R"({"server_reference": "push2.example:8883"})");
  auto device = gateway.device();
  gateway.host().lane().run_inside(
      [&] { gateway.ops().drain(gateway.self(), gateway.host().now_ns() + 30 * kSecond); });
  const Packet packet = device.receive();
  EXPECT_EQ(packet.disconnect().reason, Reason::use_another_server);
  EXPECT_EQ(packet.disconnect().properties.text(mqtt::Property::server_reference), "push2.example:8883");
}

TEST(Life, AServerThatMovedSaysWhereToAndServesWhoCannotBeTold) {
  RunningGateway gateway(R"({"server_moved": true, "server_reference": "push2.example:8883"})");
  Device five(gateway.port());
  five.send(connect_packet({.device = "five"}));
  const Packet answer = five.receive();
  EXPECT_EQ(answer.connack(Version::v5).code, 0x9D);
  EXPECT_EQ(answer.connack(Version::v5).properties.text(mqtt::Property::server_reference), "push2.example:8883");
  EXPECT_TRUE(five.is_closed());
  Device three(gateway.port());
  EXPECT_EQ(three.connect({.device = "three", .version = Version::v3_1_1}).code, 0);
}

TEST(Life, DrainingLetsWhatIsInFlightFinish) {
  RunningGateway gateway;
  auto device = gateway.device();
  const uint64_t ticket = gateway.push("demo/d1");
  const Packet packet = device.receive();
  gateway.host().lane().run_inside(
      [&] { gateway.ops().drain(gateway.self(), gateway.host().now_ns() + 30 * kSecond); });
  gateway.pass(1);
  EXPECT_TRUE(device.is_quiet());
  device.puback(packet);
  EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_DELIVERED});
  ASSERT_TRUE(gateway.wait_and_pass([&] { return gateway.presence("demo/d1") == "on off"; }));
  EXPECT_EQ(device.receive().type(), mqtt::PacketType::disconnect);
}

TEST(Life, DrainingIsPacedAndStillEndsBeforeTheDeadline) {
  RunningGateway gateway(R"({"drain_rate": 4, "reactors": 1, "connect_rate": 0})");
  std::vector<Device> devices;
  for (int i = 0; i < 60; ++i) devices.push_back(gateway.device({.device = "d" + std::to_string(i)}));
  gateway.host().lane().run_inside(
      [&] { gateway.ops().drain(gateway.self(), gateway.host().now_ns() + 20 * kSecond); });
  gateway.pass(1);
  EXPECT_LT(gateway.heard(GW_EVENT_PRESENCE).size(), 60u + 30u);
  ASSERT_TRUE(gateway.wait_and_pass([&] { return gateway.heard(GW_EVENT_PRESENCE).size() == 120; }));
  devices.clear();
  EXPECT_TRUE(gateway.wait_and_pass([&] { return gateway.host().is_drained(); }));
}

TEST(Life, ADeviceThatWasAcceptedBeforeTheDrainIsLetInAndSentAwayLikeTheOthers) {
  RunningGateway gateway(R"({"reactors": 1})");
  Device greeting(gateway.port());
  auto device = gateway.device({.device = "first"});  // was accepted after it
  gateway.host().lane().run_inside(
      [&] { gateway.ops().drain(gateway.self(), gateway.host().now_ns() + 30 * kSecond); });
  EXPECT_EQ(device.receive().disconnect().reason, Reason::server_shutting_down) << "the drain has begun";
  EXPECT_EQ(greeting.connect({.device = "second"}).code, 0);
  gateway.pass(1);
  EXPECT_EQ(greeting.receive().disconnect().reason, Reason::server_shutting_down);
  device.close();
  greeting.close();
  EXPECT_TRUE(gateway.wait_and_pass([&] { return gateway.host().is_drained(); }));
}

TEST(Life, ADrainingGatewayTakesNobodyNew) {
  RunningGateway gateway;
  auto device = gateway.device();
  gateway.push("demo/d1");  // keeps it from ending at once
  device.receive();
  gateway.host().lane().run_inside(
      [&] { gateway.ops().drain(gateway.self(), gateway.host().now_ns() + 60 * kSecond); });
  gateway.pass(1);
  Device late(gateway.port());  // sits in the backlog for the next instance
  EXPECT_TRUE(device.is_quiet());
  EXPECT_EQ(gateway.heard(GW_EVENT_PRESENCE).size(), 1u);
}

TEST(Life, StopSettlesEverythingAndForgetsPresence) {
  RunningGateway gateway;
  auto device = gateway.device({.receive_maximum = 1});
  const uint64_t sent = gateway.push("demo/d1");
  const uint64_t waiting = gateway.push("demo/d1");
  device.receive();
  EXPECT_TRUE(device.is_quiet());
  gateway.stop();
  EXPECT_EQ(gateway.outcome(sent).disposition, uint32_t{GW_UNKNOWN});
  EXPECT_EQ(gateway.outcome(waiting).disposition, uint32_t{GW_UNREACHABLE});
  EXPECT_EQ(device.receive().disconnect().reason, Reason::server_shutting_down);
  EXPECT_TRUE(device.is_closed());
  EXPECT_EQ(gateway.host().events().back().kind, uint32_t{GW_EVENT_PRESENCE_RESET});
  EXPECT_TRUE(gateway.host().misbehaviours().empty());
}

TEST(Life, ATickIsAskedForOnlyWhileThereAreConnections) {
  RunningGateway gateway;
  const auto calls_in_an_hour = [&] {
    const uint64_t before = gateway.host().calls();
    gateway.host().run_until([] { return false; }, 3600 * kSecond, std::chrono::milliseconds(100));
    return gateway.host().calls() - before;
  };
  // Ticks would be 14,400 calls; a thread that was late with the last one makes one.
  EXPECT_LT(calls_in_an_hour(), 10u);
  { auto device = gateway.device(); }
  ASSERT_TRUE(gateway.wait([&] { return gateway.presence("demo/d1") == "on off"; }));
  gateway.host().run_until([] { return false; }, kSecond, std::chrono::milliseconds(500));  // the last tick
  EXPECT_LT(calls_in_an_hour(), 10u);
  auto again = gateway.device();
  ASSERT_TRUE(gateway.wait_and_pass([&] { return again.has_ended() || gateway.heard(GW_EVENT_PRESENCE).size() == 4; }));
  EXPECT_EQ(again.receive().disconnect().reason, Reason::keep_alive_timeout) << "and they came back";
}

}  // namespace
}  // namespace selfconn::testing
