// The property table (selfconn.md, section 9, error table rows 17 and 18).
#include "plugins/selfconn/codec/property.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "plugins/selfconn/codec/testing/bytes.hpp"

namespace godwit::mqtt {
namespace {
using testing::hex;

Fault parse(PropertyPlace place, Sender sender, std::string_view literal, Properties* out = nullptr) {
  static testing::Buffer kept;
  kept = hex(literal);
  Cursor in(kept);
  Properties ignored;
  return Properties::parse(in, place, sender, out ? *out : ignored);
}
Fault in_packet(PacketType type, std::string_view literal, Sender sender = Sender::client) {
  return parse(place_of(type), sender, literal);
}

// Section 2.2.2.2 of the standard once more, by hand, so that a slip in the code's table shows.
TEST(Properties, EachIsAllowedExactlyWhereTheStandardSays) {
  using P = PacketType;
  const auto will = PropertyPlace::will;
  const auto at = [](P type) { return place_of(type); };
  const std::set<PropertyPlace> message = {at(P::publish), will};
  const std::set<PropertyPlace> handshake = {at(P::connect), at(P::connack)};
  const std::set<PropertyPlace> answers = {at(P::connack),  at(P::puback),     at(P::pubrec),
                                           at(P::pubrel),   at(P::pubcomp),    at(P::suback),
                                           at(P::unsuback), at(P::disconnect), at(P::auth)};
  std::set<PropertyPlace> all = answers;
  all.insert({at(P::connect), at(P::publish), at(P::subscribe), at(P::unsubscribe), will});
  const std::set<PropertyPlace> connect = {at(P::connect)};
  const std::set<PropertyPlace> connack = {at(P::connack)};
  struct Row {
    const char* value;
    std::set<PropertyPlace> places;
  };
  const std::map<unsigned, Row> rows = {
      {0x01, {"01", message}},
      {0x02, {"0000003C", message}},
      {0x03, {"0001'a'", message}},
      {0x08, {"0001'a'", message}},
      {0x09, {"0001 FF", message}},
      {0x0B, {"01", {at(P::publish), at(P::subscribe)}}},
      {0x11, {"00000000", {at(P::connect), at(P::connack), at(P::disconnect)}}},
      {0x12, {"0001'a'", connack}},
      {0x13, {"003C", connack}},
      {0x15, {"0001'a'", {at(P::connect), at(P::connack), at(P::auth)}}},
      {0x16, {"0001 FF", {at(P::connect), at(P::connack), at(P::auth)}}},
      {0x17, {"01", connect}},
      {0x18, {"0000003C", {will}}},
      {0x19, {"01", connect}},
      {0x1A, {"0001'a'", connack}},
      {0x1C, {"0001'a'", {at(P::connack), at(P::disconnect)}}},
      {0x1F, {"0001'a'", answers}},
      {0x21, {"0001", handshake}},
      {0x22, {"0000", handshake}},
      {0x23, {"0001", {at(P::publish)}}},
      {0x24, {"01", connack}},
      {0x25, {"00", connack}},
      {0x26, {"0001'a' 0000", all}},
      {0x27, {"00000001", handshake}},
      {0x28, {"00", connack}},
      {0x29, {"00", connack}},
      {0x2A, {"00", connack}},
  };
  for (unsigned id = 0; id < 0x7F; ++id)
    for (unsigned place = 0; place < 16; ++place) {
      const auto row = rows.find(id);
      char head[8];
      std::snprintf(head, sizeof head, "[%02X ", id);
      const std::string literal = std::string(head) + (row == rows.end() ? "00" : row->second.value) + "]";
      const auto where = static_cast<PropertyPlace>(place);
      const bool allowed = row != rows.end() && row->second.places.contains(where);
      const Fault by_client = parse(where, Sender::client, literal);
      const Fault by_server = parse(where, Sender::server, literal);
      EXPECT_EQ(allowed, !by_client || !by_server) << literal << " at " << place;
      if (!allowed) {
        EXPECT_EQ(by_client.reason, Reason::malformed_packet) << literal << " at " << place;
      }
    }
}

TEST(Properties, ValuesOutOfRangeAreProtocolErrors) {
  EXPECT_EQ(in_packet(PacketType::connect, "[21 0000]").reason, Reason::protocol_error);
  EXPECT_EQ(in_packet(PacketType::connect, "[27 00000000]").reason, Reason::protocol_error);
  EXPECT_EQ(in_packet(PacketType::connect, "[17 02]").reason, Reason::protocol_error);
  EXPECT_EQ(in_packet(PacketType::connect, "[19 02]").reason, Reason::protocol_error);
  EXPECT_EQ(in_packet(PacketType::publish, "[01 02]").reason, Reason::protocol_error);
  EXPECT_EQ(in_packet(PacketType::subscribe, "[0B 00]").reason, Reason::protocol_error);
  EXPECT_EQ(in_packet(PacketType::publish, "[23 0000]").reason, Reason::topic_alias_invalid);
}

TEST(Properties, ASecondCopyIsAProtocolErrorUnlessItMayRepeat) {
  EXPECT_EQ(in_packet(PacketType::connect, "[11 00000001 11 00000001]").reason, Reason::protocol_error);
  EXPECT_EQ(in_packet(PacketType::subscribe, "[0B 01 0B 01]").reason, Reason::protocol_error);
  EXPECT_FALSE(in_packet(PacketType::publish, "[0B 01 0B 01]", Sender::server));
  EXPECT_FALSE(in_packet(PacketType::connect, "[26 0000 0000 26 0000 0000]"));
}

TEST(Properties, BadLengthsAndEncodingsAreMalformed) {
  for (const char* bad : {
           "",                   // no length at all
           "05 11 00",           // length past the end
           "[11 0000]",          // value cut off
           "[26 0001'a']",       // half a pair
           "[26 0001 FF 0000]",  // bad UTF-8 in the name
           "[26 0000 0001 00]",  // NUL in the value
           "[1F 0002 C080]",     // overlong UTF-8
           "[80]",               // identifier cut off
           "[9100 00000001]",    // identifier longer than needed
           "8000",               // length longer than needed
           "80808080 01",        // length of five bytes
       })
    EXPECT_EQ(in_packet(PacketType::auth, bad).reason, Reason::malformed_packet) << bad;
}

TEST(Properties, ValuesAreFoundAmongOthers) {
  Properties p;
  ASSERT_FALSE(parse(place_of(PacketType::connect), Sender::client,
                     "[26 0001'a' 0001'1' 21 0008 15 0004'HMAC' 26 0001'b' 0001'2' 16 0002 FF00 11 FFFFFFFF]", &p));
  EXPECT_EQ(p.number(Property::receive_maximum, 0), 8u);
  EXPECT_EQ(p.number(Property::session_expiry_interval, 0), 0xFFFFFFFFu);
  EXPECT_EQ(p.text(Property::authentication_method), "HMAC");
  EXPECT_EQ(p.binary(Property::authentication_data)->size(), 2u);
  EXPECT_EQ(p.text(Property::reason_string), std::nullopt);
  EXPECT_EQ(p.number(Property::maximum_packet_size, 99), 99u);
  std::string seen;
  p.each_user_property([&seen](std::string_view name, std::string_view value) {
    seen += std::string(name) + "=" + std::string(value) + ";";
  });
  EXPECT_EQ(seen, "a=1;b=2;");
}

TEST(PropertyBuilder, MakesWhatTheParserReads) {
  PropertyBuilder<64> build;
  EXPECT_TRUE(build.add(Property::server_keep_alive, 300));
  EXPECT_TRUE(build.add(Property::retain_available, 0));
  EXPECT_TRUE(build.add(Property::session_expiry_interval, 3600));
  EXPECT_TRUE(build.add(Property::reason_string, "so"));
  EXPECT_TRUE(build.add_user("k", "v"));
  const Bytes raw = build.properties().raw();
  testing::Buffer bytes = {static_cast<uint8_t>(raw.size())};
  bytes.insert(bytes.end(), raw.begin(), raw.end());
  Cursor in(bytes);
  Properties p;
  ASSERT_FALSE(Properties::parse(in, place_of(PacketType::connack), Sender::server, p));
  EXPECT_EQ(p.number(Property::server_keep_alive, 0), 300u);
  EXPECT_EQ(p.number(Property::session_expiry_interval, 0), 3600u);
  EXPECT_EQ(p.text(Property::reason_string), "so");
}

TEST(PropertyBuilder, LeavesOutWhatDoesNotFit) {
  PropertyBuilder<8> build;
  EXPECT_TRUE(build.add(Property::server_keep_alive, 300));
  EXPECT_FALSE(build.add(Property::reason_string, "far too long"));
  EXPECT_TRUE(build.add(Property::session_expiry_interval, 1));
  EXPECT_FALSE(build.add(Property::retain_available, 1));
  EXPECT_EQ(build.properties().raw().size(), 8u);
}

}  // namespace
}  // namespace godwit::mqtt
