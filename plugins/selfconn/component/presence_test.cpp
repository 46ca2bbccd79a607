// Who is here: presence, takeover, keep alive.
#include <gtest/gtest.h>

#include "plugins/selfconn/testing/running_gateway.hpp"

namespace selfconn::testing {
namespace {

using mqtt::Reason;

TEST(Presence, BeginsWithAReset) {
  RunningGateway gateway;
  const auto events = gateway.host().events();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.front().kind, uint32_t{GW_EVENT_PRESENCE_RESET});
}

TEST(Presence, ComingAndGoingAreToldWithOneConnectionIdAndGrowingSeq) {
  RunningGateway gateway;
  {
    auto device = gateway.device();
    device.send("E000");
    EXPECT_TRUE(device.is_closed());
  }
  const auto heard = gateway.wait_heard(GW_EVENT_PRESENCE, 2);
  EXPECT_EQ(heard[0].address, "demo/d1");
  EXPECT_EQ(heard[0].subkind, uint32_t{GW_PRESENCE_ONLINE});
  EXPECT_EQ(heard[1].subkind, uint32_t{GW_PRESENCE_OFFLINE});
  EXPECT_FALSE(heard[0].connection_id.empty());
  EXPECT_EQ(heard[0].connection_id, heard[1].connection_id);
  EXPECT_GT(heard[1].seq, heard[0].seq);
}

TEST(Presence, ASecondConnectionTakesOverTheFirst) {
  RunningGateway gateway;
  auto first = gateway.device();
  auto second = gateway.device();
  EXPECT_EQ(first.receive().disconnect().reason, Reason::session_taken_over);
  EXPECT_TRUE(first.is_closed());
  EXPECT_TRUE(second.is_quiet());
  EXPECT_EQ(gateway.presence("demo/d1"), "on on") << "it was never away";
  const auto heard = gateway.heard(GW_EVENT_PRESENCE);
  EXPECT_NE(heard[0].connection_id, heard[1].connection_id);
  EXPECT_GT(heard[1].seq, heard[0].seq);
}

TEST(Presence, ATakenOver311ConnectionIsJustClosed) {
  RunningGateway gateway;
  auto first = gateway.device({.version = Version::v3_1_1});
  auto second = gateway.device();
  EXPECT_TRUE(first.is_closed());
}

TEST(Presence, TwoClientsThatFightOverOneIdAreStopped) {
  RunningGateway gateway;
  std::vector<Device> devices;
  uint8_t refused_with = 0;
  for (int i = 0; i < 10 && refused_with == 0; ++i) {
    devices.emplace_back(gateway.port());
    refused_with = devices.back().connect({}).code;
  }
  EXPECT_EQ(devices.size(), 7u) << "five takeovers in a minute, the sixth is refused";
  EXPECT_EQ(refused_with, static_cast<uint8_t>(Reason::quota_exceeded));
  EXPECT_TRUE(devices[5].is_quiet()) << "the one that is there stays";
  gateway.pass(61);
  devices[5].send("C000");
  Device later(gateway.port());
  EXPECT_EQ(later.connect({}).code, 0);
}

TEST(Presence, AnOlderCredentialCannotPushOutANewerOne) {
  RunningGateway gateway;
  auto current = gateway.device({.credential = "demo/d1/7"});
  Device stale(gateway.port());
  EXPECT_EQ(stale.connect({.credential = "demo/d1/6"}).code, static_cast<uint8_t>(Reason::not_authorized));
  EXPECT_TRUE(current.is_quiet());
  auto newer = gateway.device({.credential = "demo/d1/8"});
  EXPECT_EQ(current.receive().disconnect().reason, Reason::session_taken_over);
}

TEST(Presence, TheSameDeviceIdInTwoAppsIsTwoDevices) {
  RunningGateway gateway;
  auto a = gateway.device({.app = "demo"});
  auto b = gateway.device({.app = "shop"});
  EXPECT_TRUE(a.is_quiet());
  EXPECT_TRUE(b.is_quiet());
}

TEST(Presence, IsToldOnceTheHostHasRoomAgain) {
  RunningGateway gateway;
  gateway.host().refuse_events(1);
  Device device(gateway.port());
  EXPECT_EQ(device.connect({}).code, 0);
  device.close();
  ASSERT_TRUE(gateway.wait([&] {
    const std::string story = gateway.presence("demo/d1");
    return story == "off" || story == "on off";
  })) << gateway.presence("demo/d1");
}

TEST(KeepAlive, ASilentDeviceIsCutOffAfterOneAndAHalfTimes) {
  RunningGateway gateway;
  auto device = gateway.device({.keep_alive_s = 60});
  gateway.pass(89);
  EXPECT_TRUE(device.is_quiet());
  gateway.pass(89);
  EXPECT_TRUE(device.is_quiet()) << "the ping counts";
  ASSERT_TRUE(gateway.wait_and_pass([&] { return gateway.presence("demo/d1") == "on off"; }));
  EXPECT_EQ(device.receive().disconnect().reason, Reason::keep_alive_timeout);
  EXPECT_TRUE(device.is_closed());
}

TEST(KeepAlive, A311DeviceThatWantsNoneIsHeldToTheLongest) {
  RunningGateway gateway(R"({"keep_alive": 600})");
  auto device = gateway.device({.version = Version::v3_1_1, .keep_alive_s = 0});
  gateway.pass(899);
  EXPECT_TRUE(device.is_quiet());
  EXPECT_TRUE(gateway.wait_and_pass([&] { return device.has_ended(); }));
}

uint32_t told_keep_alive(RunningGateway& gateway, const std::string& device) {
  return Device(gateway.port())
      .connect({.device = device, .keep_alive_s = 1800})
      .properties.number(mqtt::Property::server_keep_alive, 1800);
}

TEST(KeepAlive, AVersion5DeviceIsToldWhatItsNetworkHasShownToHold) {
  RunningGateway gateway(R"({"reactors": 1})");
  EXPECT_EQ(told_keep_alive(gateway, "first"), 210u);
  auto device = gateway.device({.keep_alive_s = 1800});
  for (int i = 0; i < 5; ++i) {
    gateway.pass(210);
    EXPECT_TRUE(device.is_quiet()) << "answers its ping";
  }
  EXPECT_EQ(told_keep_alive(gateway, "second"), 270u);
}

TEST(KeepAlive, ADeviceThatComesAnewWhileItsOldConnectionIsSilentLowersIt) {
  RunningGateway gateway(R"({"reactors": 1})");
  auto silent = gateway.device({.device = "other", .keep_alive_s = 1800});
  for (int i = 0; i < 10; ++i) {
    gateway.pass(i < 5 ? 210 : 270);
    EXPECT_TRUE(silent.is_quiet());
  }
  ASSERT_EQ(told_keep_alive(gateway, "second"), 330u);
  for (int i = 0; i < 2; ++i) {
    auto before = gateway.device({.keep_alive_s = 1800});
    gateway.pass(331);
    auto after = gateway.device({.keep_alive_s = 1800});
  }
  EXPECT_EQ(told_keep_alive(gateway, "third"), 250u);
}

TEST(KeepAlive, APacketMustComeToItsEndInTenSeconds) {
  RunningGateway gateway;
  auto device = gateway.device({.keep_alive_s = 1800});
  device.send("30 FF7F 00");
  ASSERT_TRUE(gateway.wait_and_pass([&] {
    device.send("00");  // it drips, so keep alive sees a lively peer
    return gateway.presence("demo/d1") == "on off";
  }));
  EXPECT_EQ(device.receive().disconnect().reason, Reason::unspecified_error);
}

}  // namespace
}  // namespace selfconn::testing
