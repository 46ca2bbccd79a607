// PUBLISH and its four answers.
#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/text.hpp"

namespace godwit::mqtt {
namespace {

// The codes that each answer may carry (MQTT 5.0, 3.4.2.1 to 3.7.2.1).
bool code_fits(PacketType type, Reason reason) {
  switch (reason) {
    case Reason::success:
      return true;
    case Reason::packet_identifier_not_found:
      return type == PacketType::pubrel || type == PacketType::pubcomp;
    case Reason::no_matching_subscribers:
    case Reason::unspecified_error:
    case Reason::implementation_specific_error:
    case Reason::not_authorized:
    case Reason::topic_name_invalid:
    case Reason::packet_identifier_in_use:
    case Reason::quota_exceeded:
    case Reason::payload_format_invalid:
      return type == PacketType::puback || type == PacketType::pubrec;
    default:
      return false;
  }
}

}  // namespace

Fault parse_publish(const Frame& frame, Version version, Sender sender, Publish& out) {
  Cursor in(frame.body);
  out = {};
  out.dup = frame.flags & 8;
  out.qos = frame.flags >> 1 & 3;
  out.retain = frame.flags & 1;
  if (out.qos == 3) return malformed("PUBLISH with QoS 3");
  if (out.dup && out.qos == 0) return malformed("PUBLISH with DUP at QoS 0");
  if (!in.raw_text(out.topic)) return malformed("the topic is cut off");
  if (out.qos > 0 && !in.u16(out.packet_id)) return malformed("PUBLISH is cut off before its packet id");
  if (version == Version::v5)
    if (Fault fault = Properties::parse(in, place_of(PacketType::publish), sender, out.properties)) return fault;
  out.payload = in.rest();
  if (out.qos > 0 && out.packet_id == 0) return protocol_error("PUBLISH with packet id 0");
  if (out.topic.empty()) {
    if (version != Version::v5) return malformed("PUBLISH without a topic");
    if (!out.properties.has(Property::topic_alias)) return protocol_error("PUBLISH without topic and alias");
  } else if (!is_topic(out.topic)) {
    return malformed("the topic has wildcards, control characters, or is not valid UTF-8");
  }
  return {};
}

Fault parse_ack(const Frame& frame, Version version, Sender sender, Ack& out) {
  Cursor in(frame.body);
  out = {};
  out.type = frame.type;
  if (!in.u16(out.packet_id)) return malformed("an acknowledgement is cut off before its packet id");
  if (version == Version::v5 && !in.empty()) {
    uint8_t code = 0;
    in.u8(code);
    out.reason = static_cast<Reason>(code);
    if (!in.empty())
      if (Fault fault = Properties::parse(in, place_of(frame.type), sender, out.properties)) return fault;
  }
  if (!in.empty()) return malformed("bytes are left over at the end of an acknowledgement");
  if (out.packet_id == 0) return protocol_error("an acknowledgement of packet id 0");
  if (!code_fits(out.type, out.reason)) return protocol_error("a reason code that this acknowledgement cannot carry");
  return {};
}

}  // namespace godwit::mqtt
