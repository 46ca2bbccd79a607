#include "plugins/selfconn/codec/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace godwit::mqtt {
namespace {

using namespace std::string_literals;

TEST(Text, TakesWellFormedUtf8WithoutNul) {
  for (const std::string& good :
       {""s, "plain and long enough for whole words"s, "\xC2\x80"s, "中文"s, "\xF0\x9F\x90\xA6"s, "\xEF\xBB\xBFkept"s,
        "\x01"s, "\xEF\xBF\xBF"s, "\xF4\x8F\xBF\xBF"s})
    EXPECT_TRUE(is_mqtt_text(good)) << good;
}

TEST(Text, RefusesNulOverlongSurrogatesAndCutOffSequences) {
  for (const std::string& bad :
       {"\0"s, "eight by\0tes and more"s, "\xC0\x80"s, "\xC1\xBF"s, "\xE0\x80\x80"s, "\xE0\x9F\xBF"s, "\xED\xA0\x80"s,
        "\xED\xBF\xBF"s, "\xF0\x80\x80\x80"s, "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\x80"s, "\xC2"s, "\xE4\xB8"s,
        "\xF0\x9F\x90"s, "\xC2\x41"s, "\xFF"s, "\xFE"s})
    EXPECT_FALSE(is_mqtt_text(bad)) << bad.size();
}

TEST(Text, NamesHaveNoControlsAndNoNonCharacters) {
  EXPECT_TRUE(is_name("device-1 é"));
  for (const std::string& bad : {"\x01"s, "a\x7F"s, "\xC2\x85"s, "\xEF\xBF\xBE"s, "\xEF\xB7\x90"s, "a\nb"s, "\xFF"s})
    EXPECT_FALSE(is_name(bad));
}

TEST(Text, TopicsHaveNoWildcards) {
  EXPECT_TRUE(is_topic("godwit/inbox"));
  EXPECT_TRUE(is_topic("/"));
  for (const char* bad : {"", "#", "a/+/b", "a+"}) EXPECT_FALSE(is_topic(bad)) << bad;
}

TEST(Text, FiltersPlaceWildcardsOnWholeLevels) {
  for (const char* good : {"#", "+", "a/#", "+/+", "/+", "+/a/#", "/", "a//b", "$share/g/a", "$share/g/#", "$sharex"})
    EXPECT_TRUE(is_filter(good)) << good;
  for (const char* bad :
       {"", "a#", "#/a", "##", "+a", "a+", "a/+b/c", "$share/g", "$share//a", "$share/g/", "$share/+/a"})
    EXPECT_FALSE(is_filter(bad)) << bad;
}

}  // namespace
}  // namespace godwit::mqtt
