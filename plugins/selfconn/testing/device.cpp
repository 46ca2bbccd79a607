#include "plugins/selfconn/testing/device.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace selfconn::testing {

Buffer connect_packet(const Hello& hello) {
  const std::string credential = hello.credential.empty() ? hello.app + "/" + hello.device : hello.credential;
  mqtt::PropertyBuilder<64> properties;
  if (hello.receive_maximum) properties.add(mqtt::Property::receive_maximum, hello.receive_maximum);
  if (hello.max_packet) properties.add(mqtt::Property::maximum_packet_size, hello.max_packet);
  if (hello.topic_alias_maximum) properties.add(mqtt::Property::topic_alias_maximum, hello.topic_alias_maximum);
  if (hello.session_expiry_s) properties.add(mqtt::Property::session_expiry_interval, hello.session_expiry_s);
  mqtt::Connect connect;
  connect.version = hello.version;
  connect.clean_start = hello.clean_start;
  connect.keep_alive_s = hello.keep_alive_s;
  connect.client_id = hello.device;
  connect.has_user_name = connect.has_password = true;
  connect.user_name = hello.app;
  connect.password = mqtt::Bytes(reinterpret_cast<const uint8_t*>(credential.data()), credential.size());
  if (hello.version == Version::v5) connect.properties = properties.properties();
  Buffer out(mqtt::size_of(connect));
  mqtt::write(connect, out);
  return out;
}

mqtt::Publish Packet::publish(Version version) const {
  mqtt::Publish out;
  const mqtt::Fault fault = parse_publish(frame, version, mqtt::Sender::server, out);
  EXPECT_EQ(type(), mqtt::PacketType::publish);
  EXPECT_FALSE(fault) << fault.text;
  return out;
}
mqtt::Connack Packet::connack(Version version) const {
  mqtt::Connack out;
  const mqtt::Fault fault = parse_connack(frame, version, out);
  EXPECT_EQ(type(), mqtt::PacketType::connack);
  EXPECT_FALSE(fault) << fault.text;
  return out;
}
mqtt::Ack Packet::ack(Version version) const {
  mqtt::Ack out;
  const mqtt::Fault fault = parse_ack(frame, version, mqtt::Sender::server, out);
  EXPECT_FALSE(fault) << fault.text;
  return out;
}
mqtt::Disconnect Packet::disconnect() const {
  mqtt::Disconnect out;
  const mqtt::Fault fault = parse_disconnect(frame, Version::v5, mqtt::Sender::server, out);
  EXPECT_EQ(type(), mqtt::PacketType::disconnect);
  EXPECT_FALSE(fault) << fault.text;
  return out;
}
mqtt::SubscribeAnswer Packet::answers(Version version) const {
  mqtt::SubscribeAnswer out;
  const mqtt::Fault fault = parse_subscribe_answer(frame, version, out);
  EXPECT_FALSE(fault) << fault.text;
  return out;
}

mqtt::Connack Device::connect(const Hello& hello) {
  version = hello.version;
  send(connect_packet(hello));
  static thread_local Packet kept;  // the views in the answer point into it
  kept = receive();
  return kept.connack(version);
}

void Device::send(const Buffer& bytes) {
  wire_->send(bytes);
}

void Device::puback(const Packet& packet, mqtt::Reason reason) {
  const mqtt::Ack ack{mqtt::PacketType::puback, packet.publish(version).packet_id, reason, {}};
  Buffer out(mqtt::size_of(ack, version));
  mqtt::write(ack, version, out);
  send(out);
}

std::optional<Packet> Device::receive_or_end() {
  for (;;) {
    Packet packet;
    mqtt::Fault fault;
    const mqtt::Scan scan = scan_frame(pending_, version, {size_t{1} << 20}, packet.frame, fault);
    EXPECT_NE(scan, mqtt::Scan::faulty) << fault.text;
    if (scan == mqtt::Scan::complete) {
      packet.bytes.assign(pending_.begin(), pending_.begin() + static_cast<long>(packet.frame.size));
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<long>(packet.frame.size));
      const size_t head = packet.frame.size - packet.frame.body.size();
      packet.frame.body = mqtt::Bytes(packet.bytes).subspan(head);
      return packet;
    }
    static thread_local std::array<uint8_t, 256 * 1024> room;
    const long n = wire_->receive(room);
    if (n == 0) return std::nullopt;
    EXPECT_GT(n, 0) << "nothing came in five seconds";
    if (n < 0) return std::nullopt;
    pending_.insert(pending_.end(), room.begin(), room.begin() + n);
  }
}

Packet Device::receive() {
  auto packet = receive_or_end();
  EXPECT_TRUE(packet) << "the connection ended";
  if (packet) return std::move(*packet);
  Packet none;
  none.frame.type = mqtt::PacketType::pingreq;
  return none;
}

bool Device::is_closed() {
  return !receive_or_end();
}

bool Device::has_ended() {
  uint8_t byte;
  const ssize_t n = ::recv(wire_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

bool Device::is_quiet() {
  send("C000");
  const auto packet = receive_or_end();
  return packet && packet->type() == mqtt::PacketType::pingresp;
}

}  // namespace selfconn::testing
