// SUBSCRIBE, UNSUBSCRIBE and their answers (selfconn.md, section 6, error table rows 28 and 29).
#include <gtest/gtest.h>

#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/testing/bytes.hpp"

namespace godwit::mqtt {
namespace {
using testing::hex;
constexpr auto v3 = Version::v3_1_1;
constexpr auto v5 = Version::v5;

struct Parsed {
  testing::Buffer body;
  Subscribe subscribe;
  Fault fault;

  Parsed(Version version, std::string_view literal) : body(hex(literal)) {
    fault = parse_subscribe({PacketType::subscribe, 2, body, body.size() + 2, true}, version, subscribe);
  }
};

TEST(Subscribe, ReadsEveryFilterInOrder) {
  const Parsed p(v5, "0007 [0B 05] 0001'a' 2D 0003'b/#' 02");
  ASSERT_FALSE(p.fault) << p.fault.text;
  EXPECT_EQ(p.subscribe.packet_id, 7);
  EXPECT_EQ(p.subscribe.properties.number(Property::subscription_identifier, 0), 5u);
  std::vector<Filter> seen;
  p.subscribe.filters.each([&seen](const Filter& filter) { seen.push_back(filter); });
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].text, "a");
  EXPECT_EQ(seen[0].qos, 1);
  EXPECT_TRUE(seen[0].no_local);
  EXPECT_TRUE(seen[0].retain_as_published);
  EXPECT_EQ(seen[0].retain_handling, 2);
  EXPECT_EQ(seen[1].text, "b/#");
  EXPECT_EQ(seen[1].qos, 2);
}

TEST(Subscribe, BrokenListsAreMalformed) {
  EXPECT_EQ(Parsed(v3, "0001").fault.reason, Reason::malformed_packet) << "empty";
  EXPECT_EQ(Parsed(v3, "00").fault.reason, Reason::malformed_packet) << "no id";
  EXPECT_EQ(Parsed(v3, "0000 0001'a' 00").fault.reason, Reason::malformed_packet) << "id 0";
  EXPECT_EQ(Parsed(v3, "0001 0001'a'").fault.reason, Reason::malformed_packet) << "no options";
  EXPECT_EQ(Parsed(v3, "0001 0002'a' 00").fault.reason, Reason::malformed_packet) << "cut off";
  EXPECT_EQ(Parsed(v5, "0001 00").fault.reason, Reason::malformed_packet) << "empty behind properties";
}

TEST(Subscribe, BrokenFiltersAreMalformed) {
  for (const char* filter : {"0000", "0002'a#'", "0003'#/a'", "0002'+a'", "0004'a/+b'", "0001 FF", "0001 00",
                             "0007'$share/'", "0008'$share//'", "000A'$share/g+/'", "0009'$share/g/'"}) {
    const std::string good_length(filter);
    EXPECT_EQ(Parsed(v5, "0001 00 " + good_length + " 00").fault.reason, Reason::malformed_packet) << filter;
  }
}

TEST(Subscribe, ReservedOptionBitsAreMalformed) {
  EXPECT_EQ(Parsed(v3, "0001 0001'a' 03").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(Parsed(v3, "0001 0001'a' 04").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(Parsed(v5, "0001 00 0001'a' 03").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(Parsed(v5, "0001 00 0001'a' 40").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(Parsed(v5, "0001 00 0001'a' 80").fault.reason, Reason::malformed_packet);
}

TEST(Subscribe, ImpossibleOptionsAreProtocolErrors) {
  EXPECT_EQ(Parsed(v5, "0001 00 0001'a' 30").fault.reason, Reason::protocol_error) << "Retain Handling 3";
  EXPECT_EQ(Parsed(v5, "0001 00 000A'$share/g/a' 04").fault.reason, Reason::protocol_error) << "No Local, shared";
  EXPECT_FALSE(Parsed(v5, "0001 00 000A'$share/g/a' 00").fault);
}

TEST(Unsubscribe, ReadsFiltersWithoutOptions) {
  const testing::Buffer body = hex("0009 00 0001'a' 0002'b/'");
  Unsubscribe unsubscribe;
  ASSERT_FALSE(parse_unsubscribe({PacketType::unsubscribe, 2, body, 0, true}, v5, unsubscribe));
  EXPECT_EQ(unsubscribe.packet_id, 9);
  EXPECT_EQ(unsubscribe.filters.count(), 2u);
  for (const char* bad : {"0001", "0000 0001'a'", "0001 0000", "0001 0002'a'"}) {
    const testing::Buffer bytes = hex(bad);
    EXPECT_EQ(parse_unsubscribe({PacketType::unsubscribe, 2, bytes, 0, true}, v3, unsubscribe).reason,
              Reason::malformed_packet)
        << bad;
  }
}

Fault answer(PacketType type, Version version, std::string_view literal) {
  const testing::Buffer body = hex(literal);
  SubscribeAnswer parsed;
  return parse_subscribe_answer({type, 0, body, 0, true}, version, parsed);
}

TEST(SubscribeAnswer, CodesMustFitThePacketAndTheVersion) {
  EXPECT_FALSE(answer(PacketType::suback, v3, "0001 00 01 02 80"));
  EXPECT_TRUE(answer(PacketType::suback, v3, "0001 03"));
  EXPECT_TRUE(answer(PacketType::suback, v3, "0001")) << "no codes";
  EXPECT_FALSE(answer(PacketType::suback, v5, "0001 00 87 8F 91 97 9E A1 A2"));
  EXPECT_TRUE(answer(PacketType::suback, v5, "0001 00 11"));
  EXPECT_FALSE(answer(PacketType::unsuback, v3, "0001"));
  EXPECT_TRUE(answer(PacketType::unsuback, v3, "0001 00"));
  EXPECT_FALSE(answer(PacketType::unsuback, v5, "0001 00 00 11"));
  EXPECT_TRUE(answer(PacketType::unsuback, v5, "0001 00 01"));
  EXPECT_TRUE(answer(PacketType::suback, v5, "0000 00 00"));
}

}  // namespace
}  // namespace godwit::mqtt
