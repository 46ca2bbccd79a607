// Properties of MQTT 5.0, checked once against one table and kept as the bytes that they are.
//
// A packet carries few of them, so a value is found by walking the block again; what is asked for and absent costs one
// bit test. Nothing is copied or allocated. PropertyBuilder makes such a block for packets that we send.
#pragma once

#include <array>
#include <optional>

#include "plugins/selfconn/codec/cursor.hpp"
#include "plugins/selfconn/codec/types.hpp"

namespace godwit::mqtt {

enum class Property : uint8_t {
  payload_format_indicator = 0x01,
  message_expiry_interval = 0x02,
  content_type = 0x03,
  response_topic = 0x08,
  correlation_data = 0x09,
  subscription_identifier = 0x0B,
  session_expiry_interval = 0x11,
  assigned_client_identifier = 0x12,
  server_keep_alive = 0x13,
  authentication_method = 0x15,
  authentication_data = 0x16,
  request_problem_information = 0x17,
  will_delay_interval = 0x18,
  request_response_information = 0x19,
  response_information = 0x1A,
  server_reference = 0x1C,
  reason_string = 0x1F,
  receive_maximum = 0x21,
  topic_alias_maximum = 0x22,
  topic_alias = 0x23,
  maximum_qos = 0x24,
  retain_available = 0x25,
  user_property = 0x26,
  maximum_packet_size = 0x27,
  wildcard_subscription_available = 0x28,
  subscription_identifier_available = 0x29,
  shared_subscription_available = 0x2A,
};

// Where a property block stands: a packet type's number, or the will inside CONNECT.
enum class PropertyPlace : uint8_t { will = 0 };
constexpr PropertyPlace place_of(PacketType type) {
  return static_cast<PropertyPlace>(type);
}

class Properties {
 public:
  Properties() = default;

  bool has(Property id) const { return seen_ >> static_cast<unsigned>(id) & 1; }
  bool empty() const { return raw_.empty(); }
  // Without the length in front.
  Bytes raw() const { return raw_; }

  // Of the numeric types (byte, 2 and 4 bytes, variable).
  uint32_t number(Property id, uint32_t otherwise) const;
  std::optional<std::string_view> text(Property id) const;
  std::optional<Bytes> binary(Property id) const;

  // Calls visit(name, value) for each User Property, in order.
  template <class Visit>
  void each_user_property(Visit visit) const {
    std::string_view name, value;
    for (Bytes rest = raw_; next_user_property(rest, name, value);) visit(name, value);
  }

  // Takes the length and the block from `in`. Everything of the table is checked: known, allowed here and for this
  // sender, well-formed, in range, not repeated.
  static Fault parse(Cursor& in, PropertyPlace place, Sender sender, Properties& out);

 private:
  friend class PropertyBlock;
  bool find(Property id, Cursor& value) const;
  static bool next_user_property(Bytes& rest, std::string_view& name, std::string_view& value);

  Bytes raw_;
  uint64_t seen_ = 0;
};

// Collects properties in a buffer of the caller. What does not fit is left out, and `add` says so.
class PropertyBlock {
 public:
  explicit PropertyBlock(std::span<uint8_t> room) : room_(room) {}

  bool add(Property id, uint32_t number);
  bool add(Property id, std::string_view text);
  bool add_user(std::string_view name, std::string_view value);

  Properties properties() const;

 private:
  bool take(size_t bytes) const { return room_.size() - used_ >= bytes; }

  std::span<uint8_t> room_;
  size_t used_ = 0;
  uint64_t seen_ = 0;
};

template <size_t N>
class PropertyBuilder : public PropertyBlock {
 public:
  PropertyBuilder() : PropertyBlock(buffer_) {}
  PropertyBuilder(const PropertyBuilder&) = delete;
  PropertyBuilder& operator=(const PropertyBuilder&) = delete;

 private:
  std::array<uint8_t, N> buffer_;
};

}  // namespace godwit::mqtt
