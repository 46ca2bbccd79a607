// What goes into a PUBLISH to the device, and what comes out of one from it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plugins/selfconn/gateway/device_event.hpp"
#include "plugins/selfconn/gateway/envelope.hpp"

namespace selfconn {
namespace {

struct Written {
  gw_msg raw{};
  std::string text;
  bool is_valid;

  Written(std::string_view id, std::string_view content, uint32_t kind = GW_CONTENT_NOTIFICATION) {
    raw.message_id = godwit::str(id);
    raw.content = godwit::str(content);
    raw.content_kind = kind;
    const Envelope envelope(godwit::Message(&raw), "2026-11-21T08:00:00.000Z");
    is_valid = envelope.is_valid();
    if (!is_valid) return;
    std::vector<uint8_t> room(envelope.size());
    envelope.write(room);
    text.assign(room.begin(), room.end());
  }
};

TEST(Envelope, PutsIdAndTimeInFrontOfTheContentsMembers) {
  EXPECT_EQ(Written("m1", R"({"notification":{"title":"Hi"},"data":{}})").text,
            R"({"message_id":"m1","sent_at":"2026-11-21T08:00:00.000Z","notification":{"title":"Hi"},"data":{}})");
}

TEST(Envelope, IsJsonForAnyObject) {
  for (const char* content : {"{}", " {\n} ", "{ \"a\" : 1 }\t", R"({"a":"}"})"}) {
    const Written written("m1", content);
    ASSERT_TRUE(written.is_valid) << content;
    const auto json = nlohmann::json::parse(written.text);
    EXPECT_EQ(json.at("message_id"), "m1");
    EXPECT_EQ(json.size(), 2 + nlohmann::json::parse(content).size());
  }
}

TEST(Envelope, RefusesWhatWouldNotBeJson) {
  for (const char* content : {"", " ", "[]", "1", "{", "}", "null", "{]"})
    EXPECT_FALSE(Written("m1", content).is_valid) << content;
  for (const char* id : {"", "a\"b", "a\\", "a\nb"}) EXPECT_FALSE(Written(id, "{}").is_valid) << id;
  EXPECT_FALSE(Written("m1", "{}", GW_CONTENT_RAW).is_valid);
}

std::optional<ParsedEvent> parse(std::string_view text) {
  return parse_event({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(DeviceEvent, ReadsIdEventAndTime) {
  const auto event = parse(R"({"event":"dismissed","at":17,"message_id":"m1","more":[1,2]})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->message_id, "m1");
  EXPECT_EQ(event->subkind, uint32_t{GW_RECEIPT_DISMISSED});
  EXPECT_EQ(event->at_wall_ms, 17u);
}

TEST(DeviceEvent, RefusesEverythingElse) {
  for (const char* bad : {"", "null", "{}", R"({"message_id":"m"})", R"({"message_id":"","event":"opened"})",
                          R"({"message_id":"m","event":"Opened"})", R"({"message_id":"m","event":"opened","at":-1})",
                          R"({"message_id":"m","event":"opened","at":1.5})", R"({"message_id":"m","event":"opened"}x)"})
    EXPECT_FALSE(parse(bad)) << bad;
  EXPECT_FALSE(parse(R"({"message_id":")" + std::string(129, 'm') + R"(","event":"opened"})"));
  EXPECT_FALSE(parse(std::string(5000, ' ') + R"({"message_id":"m","event":"opened"})"));
  EXPECT_FALSE(parse(std::string(4000, '[')));
}

TEST(Rfc3339, ReadsUtcTimesOnly) {
  EXPECT_EQ(parse_rfc3339_ms("1970-01-01T00:00:00Z"), 0u);
  EXPECT_EQ(parse_rfc3339_ms("2026-11-21T08:00:00Z"), 1'795'248'000'000u);
  EXPECT_EQ(parse_rfc3339_ms("2026-11-21T08:00:00.25Z"), 1'795'248'000'250u);
  EXPECT_EQ(parse_rfc3339_ms("2026-11-21t08:00:00.123456789z"), 1'795'248'000'123u);
  for (const char* bad :
       {"", "2026-11-21", "2026-11-21T08:00:00", "2026-11-21T08:00:00+01:00", "2026-13-21T08:00:00Z",
        "2026-11-32T08:00:00Z", "2026-11-21T24:00:00Z", "1969-11-21T08:00:00Z", "2026-11-21T08:00:00.Z",
        "2026-11-21T08:00:00.1xZ", "2026-1a-21T08:00:00Z", "2026-11-21 08:00:00Z", "-026-11-21T08:00:00Z"})
    EXPECT_FALSE(parse_rfc3339_ms(bad)) << bad;
}

}  // namespace
}  // namespace selfconn
