#include "plugins/xmpp/push/encode.hpp"

#include <gtest/gtest.h>

#include <godwit/json.hpp>

#include "plugins/xmpp/xml/stream_parser.hpp"
#include "sdk/testhost/parcel.hpp"

namespace xmpp {
namespace {

using godwit::testhost::Parcel;
using godwit::testhost::ParcelSpec;

const Envelope kEnvelope{"push.example", "bob@example.org", "1234567890", 1'790'000'060'000, false};

// What a reader of the stream sees: the writer is checked by the parser, and the parser by expat.
Element read(const std::string& xml) {
  StreamParser parser;
  std::vector<StreamEvent> events;
  EXPECT_TRUE(parser.feed("<s xmlns='jabber:client'>" + xml, events)) << parser.fault() << "\n" << xml;
  EXPECT_EQ(events.size(), 2u) << xml;
  return events.size() == 2 ? events[1].element : Element{};
}
Element as_xmpp(const ParcelSpec& spec, const Envelope& envelope = kEnvelope) {
  const Parcel parcel(spec, 1, 0);
  std::string out;
  EXPECT_FALSE(encode_xmpp(godwit::Message(parcel.message()), envelope, out));
  return read(out);
}
Element as_androidpn(const ParcelSpec& spec) {
  const Parcel parcel(spec, 1, 0);
  std::string out;
  EXPECT_FALSE(encode_androidpn(godwit::Message(parcel.message()), kEnvelope, out));
  return read(out);
}
const std::string_view kHints = "urn:xmpp:hints";

TEST(EncodeXmpp, CarriesIdPayloadBodyAndRequestsAReceipt) {
  const Element m = as_xmpp({.message_id = "01JD7"});
  EXPECT_EQ(m.attribute("id"), "01JD7");
  EXPECT_EQ(m.attribute("to"), "bob@example.org");
  EXPECT_EQ(m.attribute("from"), "push.example");
  EXPECT_EQ(m.attribute("type"), "normal");
  EXPECT_EQ(m.child_text("body", ns::kClient), "Hello\nWorld");
  EXPECT_TRUE(m.child("request", ns::kReceipts));
  EXPECT_TRUE(m.child("markable", ns::kMarkers));
  EXPECT_TRUE(m.child("no-copy", kHints));
  const auto payload = godwit::parse_json(m.child_text("push", ns::kPush));
  ASSERT_TRUE(payload);
  EXPECT_EQ(*payload, godwit::Json::parse(R"({"message_id":"01JD7","expires_at":1790000060000,
      "notification":{"title":"Hello","body":"World"},"data":{"order":"123"}})"));
}

TEST(EncodeXmpp, NowOrNeverIsNotStored) {
  EXPECT_FALSE(as_xmpp({}).child("no-store", kHints));
  EXPECT_FALSE(as_xmpp({}).child("store", kHints));
  Envelope kept = kEnvelope;
  kept.is_stored_by_server = true;
  EXPECT_TRUE(as_xmpp({}, kept).child("store", kHints));
  const Element now_or_never = as_xmpp({.ttl_ms = 0}, kept);
  EXPECT_TRUE(now_or_never.child("no-store", kHints));
  EXPECT_EQ(now_or_never.attribute("type"), "headline");
}

TEST(EncodeXmpp, ASilentMessageHasNothingToShow) {
  const Element m = as_xmpp({.flags = GW_MSG_SILENT});
  EXPECT_FALSE(m.child("body", ns::kClient));
  EXPECT_EQ(godwit::parse_json(m.child_text("push", ns::kPush))->at("silent"), true);
}

TEST(EncodeXmpp, TheCallerMayChooseTheType) {
  EXPECT_EQ(as_xmpp({.vendor_options = R"({"type":"chat"})"}).attribute("type"), "chat");
}

// One forbidden character would close the link for every device.
TEST(EncodeXmpp, WhateverTheTextTheStanzaIsWellFormed) {
  const Element m =
      as_xmpp({.message_id = "a'<b>\"&",
               .content = R"({"notification":{"title":"]]></message>\u0000\u0001\ud83e\udd85","body":"<&>"}})"});
  EXPECT_EQ(m.attribute("id"), "a'<b>\"&");
  EXPECT_EQ(m.child_text("body", ns::kClient), "]]></message>\xEF\xBF\xBD\xEF\xBF\xBD🦅\n<&>");
}

TEST(EncodeXmpp, AnEmptyContentIsStillAnObject) {
  EXPECT_EQ(godwit::parse_json(as_xmpp({.content = "{ }"}).child_text("push", ns::kPush))->size(), 2u);
}

TEST(Encode, WhatCannotBeReadIsRejectedWithTheReason) {
  const auto code = [](const ParcelSpec& spec) {
    const Parcel parcel(spec, 1, 0);
    std::string out;
    const auto refused = encode_xmpp(godwit::Message(parcel.message()), kEnvelope, out);
    EXPECT_TRUE(out.empty());
    return refused && refused->disposition == GW_REJECTED ? refused->vendor_code : "";
  };
  EXPECT_EQ(code({.content = "{\"notification\":"}), "bad-content");
  EXPECT_EQ(code({.content = "[1]"}), "bad-content");
  EXPECT_EQ(code({.vendor_options = "[1, 2"}), "bad-options");
  EXPECT_EQ(code({.vendor_options = R"({"type":"groupchat"})"}), "bad-options");
}

// The five children, always all five and in this order, as the client 0.5.0 was sent them.
TEST(EncodeAndroidpn, IsTheNotificationOfThe2010Client) {
  const Element iq = as_androidpn(
      {.message_id = "01JD7", .content = R"({"notification":{"title":"T & t","body":"B","link":"app://order/1"}})"});
  EXPECT_EQ(iq.name, "iq");
  EXPECT_EQ(iq.attribute("type"), "set");
  EXPECT_EQ(iq.attribute("id"), "01JD7");
  const Element* n = iq.child("notification", "androidpn:iq:notification");
  ASSERT_TRUE(n);
  std::vector<std::pair<std::string, std::string>> fields;
  for (const Element& c : n->children) fields.emplace_back(c.name, c.text);
  EXPECT_EQ(
      fields,
      (std::vector<std::pair<std::string, std::string>>{
          {"id", "01JD7"}, {"apiKey", "1234567890"}, {"title", "T & t"}, {"message", "B"}, {"uri", "app://order/1"}}));
}

TEST(EncodeAndroidpn, EmptyFieldsAreSentAllTheSameAndAnImageIsTheForks) {
  const Element iq = as_androidpn({.content = R"({"notification":{"image":"https://x/i.png"}})"});
  const Element* n = iq.child("notification", "androidpn:iq:notification");
  ASSERT_TRUE(n);
  ASSERT_EQ(n->children.size(), 6u);
  EXPECT_EQ(n->children[4].name, "uri");
  EXPECT_EQ(n->children[4].text, "");
  EXPECT_EQ(n->children[5].text, "https://x/i.png");
}

}  // namespace
}  // namespace xmpp
