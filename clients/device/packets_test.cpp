#include "clients/device/packets.hpp"

#include <gtest/gtest.h>

namespace godwit::device {
namespace {

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (int b : list) out += static_cast<char>(b);
  return out;
}

Take take(const std::string& text, Packet& packet) {
  std::string_view rest = text;
  return take_packet(rest, packet);
}

TEST(DevicePackets, ConnectIsAsTheStandardSays) {
  EXPECT_EQ(
      connect_packet({"a", "d", "c"}, 600, 0x01020304),
      bytes({0x10, 25, 0, 4, 'M', 'Q', 'T', 'T', 5, 0xC0, 2, 0x58, 5, 0x11, 1, 2, 3, 4, 0, 1, 'd', 0, 1, 'a', 0, 1}) +
          "c");
}

TEST(DevicePackets, ALargeLengthTakesMoreBytes) {
  const std::string packet = publish_packet("t", std::string(200, 'x'), 7, false);
  EXPECT_EQ(packet.substr(0, 9), bytes({0x32, 0xCE, 0x01, 0, 1, 't', 0, 7, 0}));
  EXPECT_EQ(packet.size(), 209u);
}

TEST(DevicePackets, ConnackTellsWhatTheServerWants) {
  Packet p;
  ASSERT_EQ(take(bytes({0x20, 12, 1, 0, 9, 0x13, 0, 60, 0x21, 0, 4, 0x22, 0, 1}), p), Take::whole);
  EXPECT_EQ(p.kind, Kind::connack);
  EXPECT_TRUE(p.session_present);
  EXPECT_EQ(p.server_keep_alive, 60);
  EXPECT_EQ(p.receive_maximum, 4);
}

TEST(DevicePackets, PublishWithPropertiesIsTakenApart) {
  Packet p;
  const std::string packet = bytes({0x32, 15, 0, 1, 't', 0, 9, 7, 1, 1, 2, 0, 0, 0, 5}) + "hi";
  ASSERT_EQ(take(packet, p), Take::whole);
  EXPECT_EQ(p.topic, "t");
  EXPECT_EQ(p.packet_id, 9);
  EXPECT_EQ(p.payload, "hi");
}

TEST(DevicePackets, EveryBeginningOfAPacketWantsMore) {
  const std::string packet = publish_packet("topic", std::string(300, 'x'), 7, false);
  for (size_t size = 0; size < packet.size(); ++size) {
    Packet p;
    EXPECT_EQ(take(packet.substr(0, size), p), Take::more) << size;
  }
}

TEST(DevicePackets, BreachesAreBroken) {
  Packet p;
  EXPECT_EQ(take("HTTP/1.1 400", p), Take::broken) << "flags that no packet has";
  EXPECT_EQ(take(bytes({0x32, 3, 0, 9, 't'}), p), Take::broken) << "a topic beyond the packet";
  EXPECT_EQ(take(bytes({0x32, 6, 0, 1, 't', 0, 0, 0}), p), Take::broken) << "packet id 0";
  EXPECT_EQ(take(bytes({0x34, 6, 0, 1, 't', 0, 1, 0}), p), Take::broken) << "QoS 2 was not asked for";
  EXPECT_EQ(take(bytes({0x20, 4, 0, 0, 1, 0x7F}), p), Take::broken) << "an unknown property";
  EXPECT_EQ(take(bytes({0x20, 5, 0, 0, 9, 0x21, 0}), p), Take::broken) << "properties beyond the packet";
  EXPECT_EQ(take(bytes({0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1}), p), Take::broken) << "a length of five bytes";
  EXPECT_EQ(take(bytes({0x30, 0xFF, 0xFF, 0xFF, 0x7F}), p), Take::broken) << "256 MiB";
}

}  // namespace
}  // namespace godwit::device
