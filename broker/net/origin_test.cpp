#include "broker/net/origin.hpp"

#include <gtest/gtest.h>

namespace godwit::net {

TEST(Origin, TakesSchemeHostAndPort) {
  const Origin origin = *Origin::parse("https://api.example.com:2197/");
  EXPECT_TRUE(origin.tls);
  EXPECT_EQ(origin.host, "api.example.com");
  EXPECT_EQ(origin.port, 2197);
  EXPECT_EQ(origin.authority(), "api.example.com:2197");
}

TEST(Origin, LeavesTheDefaultPortOutOfTheHostHeader) {
  EXPECT_EQ(Origin::parse("https://api.example.com:443")->authority(), "api.example.com");
  EXPECT_EQ(Origin::parse("http://api.example.com")->authority(), "api.example.com");
  EXPECT_EQ(Origin::parse("http://api.example.com")->text(), "http://api.example.com:80");
}

TEST(Origin, TakesIpv6InBrackets) {
  const Origin origin = *Origin::parse("http://[::1]:8080");
  EXPECT_EQ(origin.host, "::1");
  EXPECT_EQ(origin.text(), "http://[::1]:8080");
}

TEST(Origin, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"api.example.com", "has no scheme"}, {"ftp://x", "has no scheme"},
      {"https://", "no usable host"},       {"https://a b", "bad host name"},
      {"https://a\r\nb", "bad host name"},  {"https://u:p@host", "has a user name"},
      {"https://host/v3", "has a path"},    {"https://host?x", "has a path"},
      {"https://host:", "bad port"},        {"https://host:0", "bad port"},
      {"https://host:65536", "bad port"},   {"https://host:12x", "bad port"},
      {"https://[::1", "lacks the ']'"},    {"https://[fe80::1%eth0]", "bad address"},
  };
  for (const auto& [text, fault] : cases) {
    const auto parsed = Origin::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find(fault), std::string::npos) << parsed.error().message;
  }
}

}  // namespace godwit::net
