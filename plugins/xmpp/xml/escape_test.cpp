#include "plugins/xmpp/xml/escape.hpp"

#include <gtest/gtest.h>

namespace xmpp {
namespace {

TEST(Escape, MarkupBecomesText) {
  EXPECT_EQ(escaped("a<b>&\"c\"'d'"), "a&lt;b&gt;&amp;&quot;c&quot;&apos;d&apos;");
}

TEST(Escape, TextOfAnyScriptStaysAsItIs) {
  EXPECT_EQ(escaped("喜鹊 🦅 tab\tline\n"), "喜鹊 🦅 tab\tline\n");
  EXPECT_EQ(escaped("a\rb"), "a&#13;b");
}

TEST(Escape, WhatXmlForbidsIsReplaced) {
  EXPECT_EQ(escaped(std::string("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(escaped("\x01\x1F"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xEF\xBF\xBE"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "U+FFFE";
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "a surrogate";
}

TEST(Escape, BrokenUtf8IsReplacedByteByByte) {
  EXPECT_EQ(escaped("\xC3("), "\xEF\xBF\xBD(");
  EXPECT_EQ(escaped("x\xF0\x9F"), "x\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD") << "an overlong form";
}

}  // namespace
}  // namespace xmpp
