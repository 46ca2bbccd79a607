// The vocabulary of MQTT 3.1.1 and 5.0 on the wire: versions, packet types, reason codes, and Fault, the way in which
// this codec says no. Values only; numbers are those of the OASIS texts.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace godwit::mqtt {

// Views everywhere: nothing here owns bytes. A parsed packet is valid as long as the buffer it was parsed from.
using Bytes = std::span<const uint8_t>;

enum class Version : uint8_t { v3_1_1 = 4, v5 = 5 };

// Who sent the packet. Some packets, codes and properties are legal in one direction only.
enum class Sender : uint8_t { client, server };

enum class PacketType : uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth,
};

enum class Reason : uint8_t {
  success = 0x00,  // also: normal disconnection, granted QoS 0
  granted_qos_1 = 0x01,
  granted_qos_2 = 0x02,
  disconnect_with_will = 0x04,
  no_matching_subscribers = 0x10,
  no_subscription_existed = 0x11,
  continue_authentication = 0x18,
  re_authenticate = 0x19,
  unspecified_error = 0x80,
  malformed_packet = 0x81,
  protocol_error = 0x82,
  implementation_specific_error = 0x83,
  unsupported_protocol_version = 0x84,
  client_identifier_not_valid = 0x85,
  bad_user_name_or_password = 0x86,
  not_authorized = 0x87,
  server_unavailable = 0x88,
  server_busy = 0x89,
  banned = 0x8A,
  server_shutting_down = 0x8B,
  bad_authentication_method = 0x8C,
  keep_alive_timeout = 0x8D,
  session_taken_over = 0x8E,
  topic_filter_invalid = 0x8F,
  topic_name_invalid = 0x90,
  packet_identifier_in_use = 0x91,
  packet_identifier_not_found = 0x92,
  receive_maximum_exceeded = 0x93,
  topic_alias_invalid = 0x94,
  packet_too_large = 0x95,
  message_rate_too_high = 0x96,
  quota_exceeded = 0x97,
  administrative_action = 0x98,
  payload_format_invalid = 0x99,
  retain_not_supported = 0x9A,
  qos_not_supported = 0x9B,
  use_another_server = 0x9C,
  server_moved = 0x9D,
  shared_subscriptions_not_supported = 0x9E,
  connection_rate_exceeded = 0x9F,
  maximum_connect_time = 0xA0,
  subscription_identifiers_not_supported = 0xA1,
  wildcard_subscriptions_not_supported = 0xA2,
};

// Return codes of a 3.1.1 CONNACK.
enum class ConnectReturn : uint8_t {
  accepted = 0,
  unacceptable_protocol_version = 1,
  identifier_rejected = 2,
  server_unavailable = 3,
  bad_user_name_or_password = 4,
  not_authorized = 5,
};

constexpr bool is_error(Reason reason) {
  return static_cast<uint8_t>(reason) >= 0x80;
}

// What is wrong with a packet, as the answer that the peer gets. False when nothing is.
//
// The connection is lost in any case; this says with which words. `text` is a literal for logs and Reason Strings.
struct [[nodiscard]] Fault {
  Reason reason = Reason::success;
  const char* text = nullptr;
  // Only for CONNECT: the 3.1.1 return code, `accepted` meaning that 3.1.1 has no word for it: close.
  ConnectReturn connack = ConnectReturn::accepted;
  // Close without any packet, in both versions: the peer does not speak MQTT.
  bool silent = false;

  explicit operator bool() const { return text != nullptr; }
};

constexpr Fault malformed(const char* text) {
  return {Reason::malformed_packet, text};
}
constexpr Fault protocol_error(const char* text) {
  return {Reason::protocol_error, text};
}

}  // namespace godwit::mqtt
