// Device is a client for tests: it says exactly what it is told and waits at most five seconds for what it expects.
// Literals as in codec/testing/bytes.hpp.
#pragma once

#include <optional>
#include <string>

#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/testing/bytes.hpp"
#include "plugins/selfconn/codec/write.hpp"
#include "plugins/selfconn/testing/wire.hpp"

namespace selfconn::testing {

namespace mqtt = godwit::mqtt;
using mqtt::Version;
using mqtt::testing::Buffer;
using mqtt::testing::hex;
using mqtt::testing::packet;

struct Hello {
  std::string app = "demo";
  std::string device = "d1";
  std::string credential = {};  // empty: app/device
  Version version = Version::v5;
  bool clean_start = true;
  uint16_t keep_alive_s = 60;
  uint16_t receive_maximum = 0;  // 0: not said
  uint32_t max_packet = 0;
  uint16_t topic_alias_maximum = 0;
  uint32_t session_expiry_s = 0;
};

Buffer connect_packet(const Hello& hello);

// A received packet that owns its bytes.
struct Packet {
  Buffer bytes;
  mqtt::Frame frame;

  mqtt::PacketType type() const { return frame.type; }
  mqtt::Publish publish(Version version) const;
  mqtt::Connack connack(Version version) const;
  mqtt::Ack ack(Version version) const;
  mqtt::Disconnect disconnect() const;
  mqtt::SubscribeAnswer answers(Version version) const;
};

class Device {
 public:
  explicit Device(uint32_t port, int receive_buffer = 0) : Device(open_tcp(port, receive_buffer)) {}
  explicit Device(std::unique_ptr<Wire> wire) : wire_(std::move(wire)) {}

  // Sends CONNECT and returns the CONNACK; sets the version for what follows.
  mqtt::Connack connect(const Hello& hello);

  void send(const Buffer& bytes);
  void send(std::string_view literal) { send(hex(literal)); }
  // Acknowledges `packet`, which must be a PUBLISH of QoS 1.
  void puback(const Packet& packet, mqtt::Reason reason = mqtt::Reason::success);

  // The next packet; fails the test and gives a PINGREQ when the connection ended or nothing came.
  Packet receive();
  // The next packet or nothing when the peer closed.
  std::optional<Packet> receive_or_end();
  // Nothing more comes but the end of the stream.
  bool is_closed();
  // Looks without waiting.
  bool has_ended();
  // Nothing arrives while the gateway answers a PINGREQ: what was to come would have come before.
  bool is_quiet();
  void close() { wire_.reset(); }
  Wire& wire() { return *wire_; }

  Version version = Version::v5;

 private:
  std::unique_ptr<Wire> wire_;
  Buffer pending_;
};

}  // namespace selfconn::testing
