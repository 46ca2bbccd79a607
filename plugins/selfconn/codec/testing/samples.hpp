// Valid packets of every kind in their shortest form, for the tests that must hold for all of them.
#pragma once

#include <string>

#include "plugins/selfconn/codec/testing/bytes.hpp"
#include "plugins/selfconn/codec/types.hpp"

namespace godwit::mqtt::testing {

struct Sample {
  std::string name;
  Version version;
  Sender sender;
  Buffer bytes;
};

inline std::vector<Sample> samples() {
  const auto v3 = Version::v3_1_1;
  const auto v5 = Version::v5;
  const auto client = Sender::client;
  const auto server = Sender::server;
  const std::string name = "0004 'MQTT' ";
  return {
      {"connect_3_plain", v3, client, packet(0x10, name + "04 02 003C 0002 'd1'")},
      {"connect_3_empty_id", v3, client, packet(0x10, name + "04 02 0000 0000")},
      {"connect_3_full", v3, client,
       packet(0x10, name + "04 EC 003C 0002 'd1' 0004 'will' 0003 'bye' 0004 'demo' 0006 's3cret'")},
      {"connect_5_plain", v5, client, packet(0x10, name + "05 02 003C 00 0002 'd1'")},
      {"connect_5_properties", v5, client,
       packet(0x10, name + "05 C2 003C [11 00000E10 21 0008 27 00010000 22 000A 17 01 19 00 26 0001 'k' 0001 'v']"
                           " 0002 'd1' 0004 'demo' 0006 's3cret'")},
      {"connect_5_will", v5, client,
       packet(0x10, name + "05 2E 003C 00 0002 'd1' [18 0000000A 01 01 02 0000003C 03 0001 't' 08 0001 'r' 09 0002"
                           " FF00] 0004 'will' 0003 'bye'")},
      {"connect_5_auth", v5, client, packet(0x10, name + "05 02 003C [15 0004 'HMAC' 16 0002 0001] 0002 'd1'")},
      {"connect_5_password_only", v5, client, packet(0x10, name + "05 42 003C 00 0002 'd1' 0002 'pw'")},
      {"connack_3", v3, server, packet(0x20, "0100")},
      {"connack_3_refused", v3, server, packet(0x20, "0005")},
      {"connack_5", v5, server, packet(0x20, "00 00 [13 003C 21 0010 25 00]")},
      {"connack_5_refused", v5, server, packet(0x20, "00 87 [1F 0002 'no']")},
      {"publish_3_qos0", v3, client, packet(0x30, "0001 'a' 'hello'")},
      {"publish_3_qos1", v3, server, packet(0x32, "000C 'godwit/inbox' 0001 '{}'")},
      {"publish_3_qos2_dup_retain", v3, client, packet(0x3D, "0001 'a' FFFF")},
      {"publish_5_qos1", v5, server, packet(0x32, "0001 'a' 0001 [02 0000003C 23 0001 26 0000 0000] '{}'")},
      {"publish_5_alias", v5, server, packet(0x32, "0000 0001 [23 0001] '{}'")},
      {"publish_5_subscriptions", v5, server, packet(0x30, "0001 'a' [0B 01 0B 8001] '{}'")},
      {"puback_3", v3, client, packet(0x40, "0001")},
      {"pubrec_3", v3, client, packet(0x50, "0001")},
      {"pubrel_3", v3, client, packet(0x62, "0001")},
      {"pubcomp_3", v3, client, packet(0x70, "0001")},
      {"puback_5", v5, client, packet(0x40, "0001")},
      {"puback_5_code", v5, client, packet(0x40, "0001 97")},
      {"puback_5_properties", v5, client, packet(0x40, "0001 99 [1F 0002 'no']")},
      {"pubrec_5_code", v5, client, packet(0x50, "0001 10")},
      {"pubrel_5_code", v5, client, packet(0x62, "0001 92")},
      {"pubcomp_5_code", v5, client, packet(0x70, "0001 92")},
      {"subscribe_3", v3, client, packet(0x82, "0001 0001 'a' 01 0003 'b/#' 02")},
      {"subscribe_5", v5, client, packet(0x82, "0001 [0B 01] 0001 'a' 2D 0001 '+' 00")},
      {"suback_3", v3, server, packet(0x90, "0001 01 80")},
      {"suback_5", v5, server, packet(0x90, "0001 00 01 87 9E")},
      {"unsubscribe_3", v3, client, packet(0xA2, "0001 0001 'a' 0002 'bb'")},
      {"unsubscribe_5", v5, client, packet(0xA2, "0001 00 0001 'a'")},
      {"unsuback_3", v3, server, packet(0xB0, "0001")},
      {"unsuback_5", v5, server, packet(0xB0, "0001 00 11 00")},
      {"pingreq", v3, client, packet(0xC0, "")},
      {"pingresp", v5, server, packet(0xD0, "")},
      {"disconnect_3", v3, client, packet(0xE0, "")},
      {"disconnect_5", v5, client, packet(0xE0, "")},
      {"disconnect_5_will", v5, client, packet(0xE0, "04")},
      {"disconnect_5_expiry", v5, client, packet(0xE0, "00 [11 00000000]")},
      {"disconnect_5_server", v5, server, packet(0xE0, "9C [1C 0004 'h:99']")},
      {"auth_5", v5, client, packet(0xF0, "18 [15 0004 'HMAC']")},
  };
}

}  // namespace godwit::mqtt::testing
