// DISCONNECT, AUTH, pings (selfconn.md, sections 10 and 11, error table rows 6, 16 and 31).
#include <gtest/gtest.h>

#include <set>

#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/testing/bytes.hpp"

namespace godwit::mqtt {
namespace {
using testing::hex;

Fault leave(Version version, Sender sender, std::string_view literal, Disconnect* out = nullptr) {
  static testing::Buffer kept;
  kept = hex(literal);
  Disconnect ignored;
  return parse_disconnect({PacketType::disconnect, 0, kept, kept.size() + 2, true}, version, sender,
                          out ? *out : ignored);
}

TEST(Disconnect, IsEmptyIn311) {
  EXPECT_FALSE(leave(Version::v3_1_1, Sender::client, ""));
  EXPECT_EQ(leave(Version::v3_1_1, Sender::client, "00").reason, Reason::malformed_packet);
  EXPECT_EQ(leave(Version::v3_1_1, Sender::server, "").reason, Reason::protocol_error);
}

TEST(Disconnect, CarriesCodeAndPropertiesIn5) {
  Disconnect d;
  EXPECT_FALSE(leave(Version::v5, Sender::client, "", &d));
  EXPECT_EQ(d.reason, Reason::success);
  EXPECT_FALSE(leave(Version::v5, Sender::client, "04 [11 0000000A]", &d));
  EXPECT_EQ(d.reason, Reason::disconnect_with_will);
  EXPECT_EQ(d.properties.number(Property::session_expiry_interval, 0), 10u);
  EXPECT_EQ(leave(Version::v5, Sender::client, "00 00 00").reason, Reason::malformed_packet);
}

TEST(Disconnect, EachSideHasItsOwnCodes) {
  const std::set<unsigned> client = {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90,
                                     0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99};
  const std::set<unsigned> server = {0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E,
                                     0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A,
                                     0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2};
  for (unsigned code = 0; code < 256; ++code) {
    const testing::Buffer body = {static_cast<uint8_t>(code)};
    Disconnect d;
    const Frame frame{PacketType::disconnect, 0, body, 3, true};
    EXPECT_EQ(parse_disconnect(frame, Version::v5, Sender::client, d).reason,
              client.contains(code) ? Reason::success : Reason::protocol_error)
        << code;
    EXPECT_EQ(parse_disconnect(frame, Version::v5, Sender::server, d).reason,
              server.contains(code) ? Reason::success : Reason::protocol_error)
        << code;
  }
}

TEST(Disconnect, ServerReferenceAndSessionExpiryAreOneWay) {
  EXPECT_EQ(leave(Version::v5, Sender::client, "00 [1C 0001'h']").reason, Reason::protocol_error);
  EXPECT_FALSE(leave(Version::v5, Sender::server, "9C [1C 0001'h']"));
  EXPECT_EQ(leave(Version::v5, Sender::server, "00 [11 00000000]").reason, Reason::protocol_error);
}

Fault authenticate(Sender sender, std::string_view literal) {
  static testing::Buffer kept;
  kept = hex(literal);
  Auth auth;
  return parse_auth({PacketType::auth, 0, kept, kept.size() + 2, true}, sender, auth);
}

TEST(Auth, CodesDependOnTheSenderAndAMethodIsNeeded) {
  EXPECT_FALSE(authenticate(Sender::client, "18 [15 0001'm']"));
  EXPECT_FALSE(authenticate(Sender::client, "19 [15 0001'm']"));
  EXPECT_EQ(authenticate(Sender::client, "00 [15 0001'm']").reason, Reason::protocol_error);
  EXPECT_EQ(authenticate(Sender::server, "19 [15 0001'm']").reason, Reason::protocol_error);
  EXPECT_EQ(authenticate(Sender::client, "18 00").reason, Reason::protocol_error);
  EXPECT_EQ(authenticate(Sender::client, "18 [15 0001'm'] 00").reason, Reason::malformed_packet);
  EXPECT_FALSE(authenticate(Sender::server, ""));
}

TEST(Ping, HasNoBody) {
  const testing::Buffer body = {0};
  EXPECT_FALSE(parse_ping({PacketType::pingreq, 0, {}, 2, true}));
  EXPECT_EQ(parse_ping({PacketType::pingreq, 0, body, 3, true}).reason, Reason::malformed_packet);
}

}  // namespace
}  // namespace godwit::mqtt
