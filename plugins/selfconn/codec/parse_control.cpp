// DISCONNECT, AUTH and the pings.
#include "plugins/selfconn/codec/parse.hpp"

namespace godwit::mqtt {
namespace {

// MQTT 5.0, 3.14.2.1: who may say what when leaving.
bool may_leave_with(Reason reason, Sender sender) {
  switch (reason) {
    case Reason::success:
    case Reason::unspecified_error:
    case Reason::malformed_packet:
    case Reason::protocol_error:
    case Reason::implementation_specific_error:
    case Reason::topic_name_invalid:
    case Reason::receive_maximum_exceeded:
    case Reason::topic_alias_invalid:
    case Reason::packet_too_large:
    case Reason::message_rate_too_high:
    case Reason::quota_exceeded:
    case Reason::administrative_action:
    case Reason::payload_format_invalid:
      return true;
    case Reason::disconnect_with_will:
      return sender == Sender::client;
    case Reason::not_authorized:
    case Reason::server_busy:
    case Reason::server_shutting_down:
    case Reason::keep_alive_timeout:
    case Reason::session_taken_over:
    case Reason::topic_filter_invalid:
    case Reason::retain_not_supported:
    case Reason::qos_not_supported:
    case Reason::use_another_server:
    case Reason::server_moved:
    case Reason::shared_subscriptions_not_supported:
    case Reason::connection_rate_exceeded:
    case Reason::maximum_connect_time:
    case Reason::subscription_identifiers_not_supported:
    case Reason::wildcard_subscriptions_not_supported:
      return sender == Sender::server;
    default:
      return false;
  }
}

bool may_authenticate_with(Reason reason, Sender sender) {
  return reason == Reason::continue_authentication ||
         reason == (sender == Sender::server ? Reason::success : Reason::re_authenticate);
}

// The shape that both share: nothing, or a code, or a code and properties.
Fault take_reason(const Frame& frame, Sender sender, Reason& reason, Properties& properties) {
  Cursor in(frame.body);
  uint8_t code = 0;
  if (in.u8(code)) {
    reason = static_cast<Reason>(code);
    if (!in.empty())
      if (Fault fault = Properties::parse(in, place_of(frame.type), sender, properties)) return fault;
  }
  return in.empty() ? Fault{} : malformed("bytes are left over at the end of the packet");
}

}  // namespace

Fault parse_disconnect(const Frame& frame, Version version, Sender sender, Disconnect& out) {
  out = {};
  if (version == Version::v3_1_1) {
    if (sender == Sender::server) return protocol_error("a 3.1.1 server does not send DISCONNECT");
    return frame.body.empty() ? Fault{} : malformed("DISCONNECT with a body in MQTT 3.1.1");
  }
  if (Fault fault = take_reason(frame, sender, out.reason, out.properties)) return fault;
  if (!may_leave_with(out.reason, sender)) return protocol_error("a reason code that this side may not leave with");
  return {};
}

Fault parse_auth(const Frame& frame, Sender sender, Auth& out) {
  out = {};
  if (Fault fault = take_reason(frame, sender, out.reason, out.properties)) return fault;
  if (!may_authenticate_with(out.reason, sender)) return protocol_error("a reason code that AUTH cannot carry");
  if (!frame.body.empty() && !out.properties.has(Property::authentication_method))
    return protocol_error("AUTH without Authentication Method");
  return {};
}

Fault parse_ping(const Frame& frame) {
  return frame.body.empty() ? Fault{} : malformed("a ping with a body");
}

}  // namespace godwit::mqtt
