// The few packets of MQTT 5.0 that a device sends and gets. Views into the caller's bytes, no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace godwit::device {

struct Login {
  std::string app, device_id, credential;
};

// CONNECT with a session that is kept for `session_s`.
std::string connect_packet(const Login& login, uint16_t keep_alive_s, uint32_t session_s);
std::string publish_packet(std::string_view topic, std::string_view payload, uint16_t packet_id, bool again);
std::string puback_packet(uint16_t packet_id);
std::string ping_packet();
std::string disconnect_packet();

enum class Kind : uint8_t { connack, publish, puback, pingresp, disconnect, other };

struct Packet {
  Kind kind = Kind::other;
  uint8_t reason = 0;                // connack, puback, disconnect
  bool session_present = false;      // connack
  uint16_t server_keep_alive = 0;    // connack; 0: none was said
  uint16_t receive_maximum = 65535;  // connack
  uint8_t qos = 0;                   // publish
  uint16_t packet_id = 0;            // publish (qos 1), puback
  std::string_view topic, payload;   // publish
};

enum class Take : uint8_t { whole, more, broken };

// Takes one packet off the front of `bytes`. Strict about lengths; properties that a device has no use for are skipped.
Take take_packet(std::string_view& bytes, Packet& packet);

inline constexpr size_t kMaxPacket = 256 * 1024;

}  // namespace godwit::device
