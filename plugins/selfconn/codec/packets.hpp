// The packets as values: views into a buffer when they were parsed, views of the caller's data when they are written.
#pragma once

#include "plugins/selfconn/codec/property.hpp"
#include "plugins/selfconn/codec/types.hpp"

namespace godwit::mqtt {

struct Will {
  uint8_t qos = 0;
  bool retain = false;
  Properties properties;
  std::string_view topic;
  Bytes payload;
};

struct Connect {
  Version version = Version::v3_1_1;
  bool clean_start = true;  // 3.1.1: clean session
  bool has_will = false, has_user_name = false, has_password = false;
  uint16_t keep_alive_s = 0;
  Properties properties;
  std::string_view client_id;
  Will will;
  std::string_view user_name;
  Bytes password;
};

struct Connack {
  bool session_present = false;
  uint8_t code = 0;  // Reason in 5.0, ConnectReturn in 3.1.1
  Properties properties;
};

struct Publish {
  bool dup = false, retain = false;
  uint8_t qos = 0;
  std::string_view topic;
  uint16_t packet_id = 0;  // QoS above 0 only
  Properties properties;
  Bytes payload;
};

// PUBACK, PUBREC, PUBREL, PUBCOMP.
struct Ack {
  PacketType type = PacketType::puback;
  uint16_t packet_id = 0;
  Reason reason = Reason::success;
  Properties properties;
};

struct Filter {
  std::string_view text;
  uint8_t qos = 0;
  bool no_local = false, retain_as_published = false;
  uint8_t retain_handling = 0;
};

// SUBSCRIBE and UNSUBSCRIBE: the list stays as bytes and is walked with each().
struct Filters {
  Bytes raw;
  bool with_options = true;

  template <class Visit>
  void each(Visit visit) const {
    Filter filter;
    for (Bytes rest = raw; next(rest, filter);) visit(filter);
  }
  size_t count() const;

 private:
  bool next(Bytes& rest, Filter& filter) const;
};

struct Subscribe {
  uint16_t packet_id = 0;
  Properties properties;
  Filters filters;
};

struct Unsubscribe {
  uint16_t packet_id = 0;
  Properties properties;
  Filters filters{{}, false};
};

// SUBACK, and UNSUBACK (which has codes in 5.0 only).
struct SubscribeAnswer {
  PacketType type = PacketType::suback;
  uint16_t packet_id = 0;
  Properties properties;
  Bytes codes;
};

struct Disconnect {
  Reason reason = Reason::success;
  Properties properties;
};

struct Auth {
  Reason reason = Reason::success;
  Properties properties;
};

}  // namespace godwit::mqtt
