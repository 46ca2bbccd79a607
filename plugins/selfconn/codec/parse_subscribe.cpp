// SUBSCRIBE, UNSUBSCRIBE and their answers.
#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/text.hpp"

namespace godwit::mqtt {
namespace {

Fault check_options(uint8_t options, Version version, std::string_view filter) {
  const unsigned qos = options & 3;
  if (qos == 3) return malformed("a subscription asks for QoS 3");
  if (version == Version::v3_1_1) return options & 0xFC ? malformed("reserved subscription bits are set") : Fault{};
  if (options & 0xC0) return malformed("reserved subscription option bits are set");
  if ((options >> 4 & 3) == 3) return protocol_error("Retain Handling 3");
  if ((options & 4) && is_shared_filter(filter)) return protocol_error("No Local on a shared subscription");
  return {};
}

Fault take_filters(Cursor& in, Version version, bool with_options, Filters& out) {
  if (in.empty()) return malformed("the list of filters is empty");
  out.with_options = with_options;
  const uint8_t* const begin = in.position();
  while (!in.empty()) {
    std::string_view text;
    uint8_t options = 0;
    if (!in.raw_text(text) || (with_options && !in.u8(options))) return malformed("a filter is cut off");
    if (!is_filter(text)) return malformed("a filter is empty, misplaces a wildcard, or is not valid UTF-8");
    if (Fault fault = check_options(options, version, text)) return fault;
  }
  out.raw = Bytes(begin, in.position());
  return {};
}

Fault take_head(Cursor& in, PacketType type, Version version, Sender sender, uint16_t& id, Properties& properties) {
  if (!in.u16(id)) return malformed("cut off before the packet id");
  if (id == 0) return malformed("packet id 0");
  if (version == Version::v5) return Properties::parse(in, place_of(type), sender, properties);
  return {};
}

bool code_fits(PacketType type, Version version, uint8_t code) {
  if (type == PacketType::suback && version == Version::v3_1_1) return code <= 2 || code == 0x80;
  switch (static_cast<Reason>(code)) {
    case Reason::success:
    case Reason::unspecified_error:
    case Reason::implementation_specific_error:
    case Reason::not_authorized:
    case Reason::topic_filter_invalid:
    case Reason::packet_identifier_in_use:
      return true;
    case Reason::no_subscription_existed:
      return type == PacketType::unsuback;
    case Reason::granted_qos_1:
    case Reason::granted_qos_2:
    case Reason::quota_exceeded:
    case Reason::shared_subscriptions_not_supported:
    case Reason::subscription_identifiers_not_supported:
    case Reason::wildcard_subscriptions_not_supported:
      return type == PacketType::suback;
    default:
      return false;
  }
}

}  // namespace

// REQUIRES: raw passed take_filters.
bool Filters::next(Bytes& rest, Filter& filter) const {
  Cursor in(rest);
  uint8_t options = 0;
  if (!in.raw_text(filter.text) || (with_options && !in.u8(options))) return false;
  filter.qos = options & 3;
  filter.no_local = options & 4;
  filter.retain_as_published = options & 8;
  filter.retain_handling = options >> 4 & 3;
  rest = in.rest();
  return true;
}

size_t Filters::count() const {
  size_t count = 0;
  each([&count](const Filter&) { ++count; });
  return count;
}

Fault parse_subscribe(const Frame& frame, Version version, Subscribe& out) {
  Cursor in(frame.body);
  out = {};
  if (Fault fault = take_head(in, frame.type, version, Sender::client, out.packet_id, out.properties)) return fault;
  return take_filters(in, version, true, out.filters);
}

Fault parse_unsubscribe(const Frame& frame, Version version, Unsubscribe& out) {
  Cursor in(frame.body);
  out = {};
  if (Fault fault = take_head(in, frame.type, version, Sender::client, out.packet_id, out.properties)) return fault;
  return take_filters(in, version, false, out.filters);
}

Fault parse_subscribe_answer(const Frame& frame, Version version, SubscribeAnswer& out) {
  Cursor in(frame.body);
  out = {};
  out.type = frame.type;
  if (Fault fault = take_head(in, frame.type, version, Sender::server, out.packet_id, out.properties)) return fault;
  out.codes = in.rest();
  const bool no_codes = frame.type == PacketType::unsuback && version == Version::v3_1_1;
  if (no_codes != out.codes.empty()) return malformed("the answer has no codes, or codes where none belong");
  for (uint8_t code : out.codes)
    if (!code_fits(frame.type, version, code)) return protocol_error("a reason code that this answer cannot carry");
  return {};
}

}  // namespace godwit::mqtt
