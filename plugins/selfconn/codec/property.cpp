#include "plugins/selfconn/codec/property.hpp"

#include "plugins/selfconn/codec/text.hpp"

namespace godwit::mqtt {
namespace {

enum class Kind : uint8_t { none, byte, u16, u32, varint, text, binary, pair };
enum class Range : uint8_t { any, zero_or_one, not_zero, alias, topic };

struct Rule {
  Kind kind = Kind::none;
  Range range = Range::any;
  uint16_t places = 0;       // bit per PropertyPlace in which anybody may use it
  uint16_t server_only = 0;  // bit per PropertyPlace in which only a server may
  uint16_t client_only = 0;
  uint16_t repeatable = 0;  // bit per PropertyPlace in which it may come more than once
};

constexpr uint16_t bit(PacketType type) {
  return static_cast<uint16_t>(1u << static_cast<unsigned>(type));
}
constexpr uint16_t kWill = 1;
constexpr uint16_t kConnect = bit(PacketType::connect), kConnack = bit(PacketType::connack),
                   kPublish = bit(PacketType::publish), kSubscribe = bit(PacketType::subscribe),
                   kUnsubscribe = bit(PacketType::unsubscribe), kDisconnect = bit(PacketType::disconnect),
                   kAuth = bit(PacketType::auth);
constexpr uint16_t kAnswers = bit(PacketType::puback) | bit(PacketType::pubrec) | bit(PacketType::pubrel) |
                              bit(PacketType::pubcomp) | bit(PacketType::suback) | bit(PacketType::unsuback);
constexpr uint16_t kEverywhere =
    kWill | kConnect | kConnack | kPublish | kAnswers | kSubscribe | kUnsubscribe | kDisconnect | kAuth;

constexpr size_t kTableSize = 0x2B;

// MQTT 5.0, 2.2.2.2: the one place that knows which property is what and where it may stand.
constexpr std::array<Rule, kTableSize> make_table() {
  std::array<Rule, kTableSize> table{};
  const auto set = [&](Property id, Kind kind, uint16_t places, Range range = Range::any) -> Rule& {
    Rule& rule = table[static_cast<size_t>(id)];
    rule.kind = kind;
    rule.places = places;
    rule.range = range;
    return rule;
  };
  set(Property::payload_format_indicator, Kind::byte, kPublish | kWill, Range::zero_or_one);
  set(Property::message_expiry_interval, Kind::u32, kPublish | kWill);
  set(Property::content_type, Kind::text, kPublish | kWill);
  set(Property::response_topic, Kind::text, kPublish | kWill, Range::topic);
  set(Property::correlation_data, Kind::binary, kPublish | kWill);
  Rule& subscription = set(Property::subscription_identifier, Kind::varint, kPublish | kSubscribe, Range::not_zero);
  subscription.server_only = kPublish;
  subscription.repeatable = kPublish;
  set(Property::session_expiry_interval, Kind::u32, kConnect | kConnack | kDisconnect).client_only = kDisconnect;
  set(Property::assigned_client_identifier, Kind::text, kConnack);
  set(Property::server_keep_alive, Kind::u16, kConnack);
  set(Property::authentication_method, Kind::text, kConnect | kConnack | kAuth);
  set(Property::authentication_data, Kind::binary, kConnect | kConnack | kAuth);
  set(Property::request_problem_information, Kind::byte, kConnect, Range::zero_or_one);
  set(Property::will_delay_interval, Kind::u32, kWill);
  set(Property::request_response_information, Kind::byte, kConnect, Range::zero_or_one);
  set(Property::response_information, Kind::text, kConnack);
  set(Property::server_reference, Kind::text, kConnack | kDisconnect).server_only = kDisconnect;
  set(Property::reason_string, Kind::text, kConnack | kAnswers | kDisconnect | kAuth);
  set(Property::receive_maximum, Kind::u16, kConnect | kConnack, Range::not_zero);
  set(Property::topic_alias_maximum, Kind::u16, kConnect | kConnack);
  set(Property::topic_alias, Kind::u16, kPublish, Range::alias);
  set(Property::maximum_qos, Kind::byte, kConnack, Range::zero_or_one);
  set(Property::retain_available, Kind::byte, kConnack, Range::zero_or_one);
  set(Property::user_property, Kind::pair, kEverywhere).repeatable = kEverywhere;
  set(Property::maximum_packet_size, Kind::u32, kConnect | kConnack, Range::not_zero);
  set(Property::wildcard_subscription_available, Kind::byte, kConnack, Range::zero_or_one);
  set(Property::subscription_identifier_available, Kind::byte, kConnack, Range::zero_or_one);
  set(Property::shared_subscription_available, Kind::byte, kConnack, Range::zero_or_one);
  return table;
}
constexpr std::array<Rule, kTableSize> kTable = make_table();

constexpr Rule rule_of(uint32_t id) {
  return id < kTable.size() ? kTable[id] : Rule{};
}

// Takes one value; `number` gets it when it is one.
bool take_value(Cursor& in, Kind kind, uint32_t& number) {
  uint8_t byte;
  uint16_t word;
  Bytes binary;
  switch (kind) {
    case Kind::byte:
      return in.u8(byte) && (number = byte, true);
    case Kind::u16:
      return in.u16(word) && (number = word, true);
    case Kind::u32:
      return in.u32(number);
    case Kind::varint:
      return in.varint(number);
    case Kind::text:
    case Kind::binary:
      return in.binary(binary);
    case Kind::pair:
      return in.binary(binary) && in.binary(binary);
    case Kind::none:
      break;
  }
  return false;
}

// A block that passed parse(): no need to check again.
uint32_t skip_to_value(Cursor& in) {
  uint32_t id = 0;
  in.varint(id);
  return id;
}

Fault check_texts(Cursor value, Kind kind) {
  std::string_view text;
  for (int left = kind == Kind::pair ? 2 : kind == Kind::text ? 1 : 0; left > 0; --left)
    if (!value.raw_text(text) || !is_mqtt_text(text)) return malformed("a property's text is not valid UTF-8");
  return {};
}

Fault check_range(Cursor value, Range range, uint32_t number) {
  switch (range) {
    case Range::any:
      return {};
    case Range::zero_or_one:
      return number > 1 ? protocol_error("a property that must be 0 or 1 is neither") : Fault{};
    case Range::not_zero:
      return number == 0 ? protocol_error("a property that must not be 0 is 0") : Fault{};
    case Range::alias:
      return number == 0 ? Fault{Reason::topic_alias_invalid, "Topic Alias is 0"} : Fault{};
    case Range::topic: {
      std::string_view topic;
      if (!value.raw_text(topic) || !is_topic(topic)) return protocol_error("Response Topic is not a topic");
      return {};
    }
  }
  return {};
}

}  // namespace

Fault Properties::parse(Cursor& in, PropertyPlace place, Sender sender, Properties& out) {
  uint32_t length;
  Bytes raw;
  if (!in.varint(length) || !in.bytes(length, raw)) return malformed("the property length does not fit the packet");
  const auto place_bit = static_cast<uint16_t>(1u << static_cast<unsigned>(place));
  out.raw_ = raw;
  out.seen_ = 0;
  for (Cursor block(raw); !block.empty();) {
    uint32_t id;
    if (!block.varint(id)) return malformed("a property's identifier is cut off");
    const Rule rule = rule_of(id);
    if (rule.kind == Kind::none) return malformed("unknown property");
    if (!(rule.places & place_bit)) return malformed("a property that does not belong into this packet");
    if ((sender == Sender::client ? rule.server_only : rule.client_only) & place_bit)
      return protocol_error("a property that only the other side may send in this packet");
    const Cursor value = block;
    uint32_t number = 0;
    if (!take_value(block, rule.kind, number)) return malformed("a property's value is cut off or badly encoded");
    if (Fault fault = check_texts(value, rule.kind)) return fault;
    if (Fault fault = check_range(value, rule.range, number)) return fault;
    const uint64_t seen = uint64_t{1} << id;
    if ((out.seen_ & seen) && !(rule.repeatable & place_bit)) return protocol_error("a property comes twice");
    out.seen_ |= seen;
  }
  return {};
}

bool Properties::find(Property id, Cursor& value) const {
  if (!has(id)) return false;
  uint32_t ignored;
  for (Cursor block(raw_); !block.empty();) {
    const uint32_t found = skip_to_value(block);
    if (found == static_cast<uint32_t>(id)) {
      value = block;
      return true;
    }
    if (!take_value(block, rule_of(found).kind, ignored)) return false;
  }
  return false;
}

uint32_t Properties::number(Property id, uint32_t otherwise) const {
  Cursor value({});
  uint32_t number = otherwise;
  if (find(id, value)) take_value(value, rule_of(static_cast<uint32_t>(id)).kind, number);
  return number;
}

std::optional<std::string_view> Properties::text(Property id) const {
  Cursor value({});
  std::string_view text;
  if (!find(id, value) || !value.raw_text(text)) return std::nullopt;
  return text;
}

std::optional<Bytes> Properties::binary(Property id) const {
  Cursor value({});
  Bytes bytes;
  if (!find(id, value) || !value.binary(bytes)) return std::nullopt;
  return bytes;
}

bool Properties::next_user_property(Bytes& rest, std::string_view& name, std::string_view& value) {
  uint32_t ignored;
  for (Cursor block(rest); !block.empty();) {
    const uint32_t found = skip_to_value(block);
    if (found == static_cast<uint32_t>(Property::user_property)) {
      const bool whole = block.raw_text(name) && block.raw_text(value);
      rest = block.rest();
      return whole;
    }
    if (!take_value(block, rule_of(found).kind, ignored)) return false;
  }
  return false;
}

bool PropertyBlock::add(Property id, uint32_t number) {
  const Kind kind = rule_of(static_cast<uint32_t>(id)).kind;
  const size_t size = kind == Kind::byte ? 1 : kind == Kind::u16 ? 2 : kind == Kind::u32 ? 4 : varint_size(number);
  if (!take(1 + size)) return false;
  Sink out(room_.data() + used_);
  out.u8(static_cast<uint8_t>(id));
  switch (kind) {
    case Kind::byte:
      out.u8(static_cast<uint8_t>(number));
      break;
    case Kind::u16:
      out.u16(static_cast<uint16_t>(number));
      break;
    case Kind::u32:
      out.u32(number);
      break;
    default:
      out.varint(number);
  }
  used_ += 1 + size;
  seen_ |= uint64_t{1} << static_cast<unsigned>(id);
  return true;
}

bool PropertyBlock::add(Property id, std::string_view text) {
  if (text.size() > 65'535 || !take(3 + text.size())) return false;
  Sink out(room_.data() + used_);
  out.u8(static_cast<uint8_t>(id));
  out.text(text);
  used_ += 3 + text.size();
  seen_ |= uint64_t{1} << static_cast<unsigned>(id);
  return true;
}

bool PropertyBlock::add_user(std::string_view name, std::string_view value) {
  if (name.size() > 65'535 || value.size() > 65'535 || !take(5 + name.size() + value.size())) return false;
  Sink out(room_.data() + used_);
  out.u8(static_cast<uint8_t>(Property::user_property));
  out.text(name);
  out.text(value);
  used_ += 5 + name.size() + value.size();
  seen_ |= uint64_t{1} << static_cast<unsigned>(Property::user_property);
  return true;
}

Properties PropertyBlock::properties() const {
  Properties made;
  made.raw_ = room_.first(used_);
  made.seen_ = seen_;
  return made;
}

}  // namespace godwit::mqtt
