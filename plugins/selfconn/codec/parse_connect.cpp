// CONNECT and CONNACK.
#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/text.hpp"

namespace godwit::mqtt {
namespace {

constexpr uint8_t kUserName = 0x80, kPassword = 0x40, kWillRetain = 0x20, kWillQos = 0x18, kWill = 0x04,
                  kCleanStart = 0x02, kReserved = 0x01;

constexpr Fault refused(Reason reason, ConnectReturn code, const char* text) {
  return {reason, text, code};
}

// Protocol name and level decide with which words anything later is refused.
Fault take_version(Cursor& in, Connect& out) {
  std::string_view name;
  uint8_t level;
  if (!in.raw_text(name) || !in.u8(level))
    return {Reason::malformed_packet, "CONNECT without protocol name and level", {}, true};
  const auto unsupported = [](const char* text) {
    return refused(Reason::unsupported_protocol_version, ConnectReturn::unacceptable_protocol_version, text);
  };
  if (name == "MQIsdp") return unsupported("MQTT 3.1 is not offered; use 3.1.1 or 5.0");
  if (name != "MQTT") return {Reason::unsupported_protocol_version, "the protocol name is not MQTT", {}, true};
  if (level >= 5) out.version = Version::v5;
  if (level != 4 && level != 5) return unsupported("unknown protocol level");
  return {};
}

Fault check_flags(uint8_t flags, Version version) {
  if (flags & kReserved) return malformed("the reserved connect flag is set");
  if (!(flags & kWill) && (flags & (kWillQos | kWillRetain))) return malformed("will QoS or retain without a will");
  if ((flags & kWillQos) == kWillQos) return malformed("will QoS 3");
  if (version == Version::v3_1_1 && (flags & kPassword) && !(flags & kUserName))
    return malformed("a password without a user name");
  return {};
}

Fault take_will(Cursor& in, uint8_t flags, Version version, Will& out) {
  out.qos = (flags & kWillQos) >> 3;
  out.retain = flags & kWillRetain;
  if (version == Version::v5)
    if (Fault fault = Properties::parse(in, PropertyPlace::will, Sender::client, out.properties)) return fault;
  if (!in.raw_text(out.topic) || !in.binary(out.payload)) return malformed("the will is cut off");
  if (!is_topic(out.topic)) return malformed("the will topic is not a topic");
  return {};
}

Fault check_client_id(const Connect& connect) {
  const auto rejected = [](const char* text) {
    return refused(Reason::client_identifier_not_valid, ConnectReturn::identifier_rejected, text);
  };
  if (!is_mqtt_text(connect.client_id)) return malformed("the client id is not valid UTF-8");
  if (!is_name(connect.client_id)) return rejected("the client id has control characters");
  if (connect.client_id.empty() && connect.version == Version::v3_1_1 && !connect.clean_start)
    return rejected("an empty client id needs a clean session");
  return {};
}

}  // namespace

Fault parse_connect(const Frame& frame, Connect& out) {
  Cursor in(frame.body);
  out = {};
  if (Fault fault = take_version(in, out)) return fault;
  const Version version = out.version;
  if (version == Version::v5 && !frame.shortest_length)
    return malformed("Remaining Length is not written in the fewest bytes");

  uint8_t flags;
  if (!in.u8(flags) || !in.u16(out.keep_alive_s)) return malformed("CONNECT is cut off before the client id");
  if (Fault fault = check_flags(flags, version)) return fault;
  out.clean_start = flags & kCleanStart;
  out.has_will = flags & kWill;
  out.has_user_name = flags & kUserName;
  out.has_password = flags & kPassword;

  if (version == Version::v5)
    if (Fault fault = Properties::parse(in, place_of(PacketType::connect), Sender::client, out.properties))
      return fault;
  if (!in.raw_text(out.client_id)) return malformed("the client id is cut off");
  if (out.has_will)
    if (Fault fault = take_will(in, flags, version, out.will)) return fault;
  if (out.has_user_name && !in.raw_text(out.user_name)) return malformed("the user name is cut off");
  if (out.has_password && !in.binary(out.password)) return malformed("the password is cut off");
  if (!in.empty()) return malformed("bytes are left over at the end of CONNECT");

  if (Fault fault = check_client_id(out)) return fault;
  if (!is_name(out.user_name)) return malformed("the user name has control characters or is not valid UTF-8");
  if (out.properties.has(Property::authentication_data) && !out.properties.has(Property::authentication_method))
    return protocol_error("Authentication Data without Authentication Method");
  return {};
}

Fault parse_connack(const Frame& frame, Version version, Connack& out) {
  Cursor in(frame.body);
  out = {};
  uint8_t flags;
  if (!in.u8(flags) || !in.u8(out.code)) return malformed("CONNACK is cut off");
  if (flags > 1) return malformed("reserved CONNACK flags are set");
  out.session_present = flags & 1;
  if (version == Version::v5) {
    if (Fault fault = Properties::parse(in, place_of(PacketType::connack), Sender::server, out.properties))
      return fault;
  } else if (out.code > static_cast<uint8_t>(ConnectReturn::not_authorized)) {
    return malformed("unknown CONNACK return code");
  }
  if (!in.empty()) return malformed("bytes are left over at the end of CONNACK");
  if (out.session_present && out.code != 0) return protocol_error("Session Present in a refusal");
  return {};
}

}  // namespace godwit::mqtt
