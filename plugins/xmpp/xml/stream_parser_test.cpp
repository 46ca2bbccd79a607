#include "plugins/xmpp/xml/stream_parser.hpp"

#include <gtest/gtest.h>

namespace xmpp {
namespace {

using Kind = StreamEvent::Kind;

const std::string kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='7' "
    "from='push.example'>";

struct Parsed {
  explicit Parsed(const std::string& bytes, ParserLimits limits = {}, size_t piece = SIZE_MAX) : parser(limits) {
    for (size_t at = 0; at < bytes.size() && is_sound; at += std::min(piece, bytes.size() - at))
      is_sound = parser.feed(std::string_view(bytes).substr(at, piece), events);
  }
  StreamParser parser;
  std::vector<StreamEvent> events;
  bool is_sound = true;
};

TEST(StreamParser, GivesHeaderStanzasAndEnd) {
  const Parsed p(kHeader + " <message from='a@x' id='1'><body>Hi &amp; bye</body></message>\n<iq/></stream:stream>");
  ASSERT_EQ(p.events.size(), 4u);
  EXPECT_EQ(p.events[0].kind, Kind::open);
  EXPECT_EQ(p.events[0].element.attribute("id"), "7");
  EXPECT_TRUE(p.events[1].element.is("message", ns::kClient));
  EXPECT_EQ(p.events[1].element.child_text("body", ns::kClient), "Hi & bye");
  EXPECT_TRUE(p.events[2].element.is("iq", ns::kClient));
  EXPECT_EQ(p.events[3].kind, Kind::close);
}

TEST(StreamParser, DoesNotMindHowTheBytesAreCut) {
  const std::string bytes = kHeader + "<a><b x='1'>ü</b><c>&#x1F985;</c></a><d/></stream:stream>";
  for (size_t piece = 1; piece < 12; ++piece) {
    const Parsed p(bytes, {}, piece);
    ASSERT_EQ(p.events.size(), 4u) << piece << p.parser.fault();
    EXPECT_EQ(p.events[1].element.children.at(0).text, "ü");
    EXPECT_EQ(p.events[1].element.children.at(1).text, "🦅");
  }
}

TEST(StreamParser, NamespacesAreResolvedNotCompared) {
  const Parsed p(kHeader + "<message><r:received xmlns:r='urn:xmpp:receipts' id='m1'/></message>");
  const Element* received = p.events.at(1).element.child("received", ns::kReceipts);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->attribute("id"), "m1");
}

// Any account of the server can send us these.
TEST(StreamParser, AStanzaOfAStrangerThatIsTooMuchIsReadOver) {
  const ParserLimits limits{.stanza_bytes = 2000, .depth = 8, .attributes = 4, .elements = 50};
  std::string deep = "<message id='x'>", wide = "<message id='x'>", many = "<message id='x'><b";
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  for (int i = 0; i < 1000; ++i) deep += "</a>";
  for (int i = 0; i < 1000; ++i) wide += "<a/>";
  for (int i = 0; i < 1000; ++i) many += " a" + std::to_string(i) + "='1'";
  many += "/>";
  const std::string huge = "<message id='x'><body>" + std::string(100'000, 'h') + "</body>";
  for (const std::string& bad : {deep, wide, many, huge}) {
    for (const size_t piece : {SIZE_MAX, size_t{100}}) {
      const Parsed p(kHeader + bad + "</message><iq id='next'/>", limits, piece);
      EXPECT_TRUE(p.is_sound) << p.parser.fault();
      ASSERT_EQ(p.events.size(), 3u) << p.parser.fault();
      EXPECT_EQ(p.events[1].kind, Kind::dropped);
      EXPECT_EQ(p.events[1].element.attribute("id"), "x");
      EXPECT_TRUE(p.events[1].element.children.empty());
      EXPECT_EQ(p.events[2].element.attribute("id"), "next");
    }
  }
}

TEST(StreamParser, EntitiesDtdsInstructionsAndCommentsBreakTheStream) {
  const std::string bomb =
      "<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><s>&b;</s>";
  EXPECT_EQ(Parsed(bomb).parser.fault(), "a DTD is not allowed");
  EXPECT_EQ(Parsed(kHeader + "<?php x?>").parser.fault(), "a processing instruction is not allowed");
  EXPECT_EQ(Parsed(kHeader + "<!-- x -->").parser.fault(), "a comment is not allowed");
  EXPECT_FALSE(Parsed(kHeader + "<a>&undefined;</a>").is_sound);
  EXPECT_FALSE(Parsed(kHeader + "<a></b>").is_sound);
  EXPECT_FALSE(Parsed(kHeader + "<a>\x01</a>").is_sound);
}

TEST(StreamParser, AStanzaWithoutEndBreaksTheStream) {
  const ParserLimits limits{.stanza_bytes = 1000, .broken_bytes = 200'000};
  EXPECT_EQ(Parsed(kHeader + "<a>" + std::string(300'000, 'x'), limits).parser.fault(), "a stanza without end");
  EXPECT_EQ(Parsed(kHeader + "<a x='" + std::string(300'000, 'x'), limits).parser.fault(), "a stanza without end");
}

TEST(StreamParser, WhiteSpaceForHoursIsNoStanza) {
  Parsed p(kHeader, {.broken_bytes = 10'000});
  for (int i = 0; i < 100'000 && p.is_sound; ++i) p.is_sound = p.parser.feed(" ", p.events);
  EXPECT_TRUE(p.is_sound) << p.parser.fault();
}

TEST(StreamParser, BeginsAnewAfterRestart) {
  Parsed p(kHeader + "<half");
  p.parser.restart();
  p.events.clear();
  EXPECT_TRUE(p.parser.feed(kHeader + "<iq/>", p.events));
  EXPECT_EQ(p.events.size(), 2u);
}

}  // namespace
}  // namespace xmpp
