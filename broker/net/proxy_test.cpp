#include "broker/net/proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string authorization(const std::string& text) {
  const Result<Proxy> proxy = Proxy::parse(text);
  return proxy ? proxy->authorization : proxy.error().message;
}
std::string fault(const std::string& text) {
  const Result<Proxy> proxy = Proxy::parse(text);
  return proxy ? "none" : proxy.error().message;
}

TEST(Proxy, HasHostPortAndNoPasswordIfNoneIsGiven) {
  const Result<Proxy> name = Proxy::parse("http://proxy.example:3128"), address = Proxy::parse("http://[::1]:8080/");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->host, "proxy.example");
  EXPECT_EQ(name->port, 3128);
  EXPECT_EQ(name->authorization, "");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, 8080);
}

TEST(Proxy, DecodesUserAndPasswordAsLibcurlDoes) {
  EXPECT_EQ(authorization("http://user:secret@h:1"), "Basic dXNlcjpzZWNyZXQ=");
  EXPECT_EQ(authorization("http://us%40er:p%40s%3As%25@h:1"), "Basic dXNAZXI6cEBzOnMl");  // us@er:p@s:s%
  EXPECT_EQ(authorization("http://u:a:b@h:1"), "Basic dTphOmI=") << "only the first ':' separates";
  EXPECT_EQ(authorization("http://u:%zz@h:1"), "Basic dToleno=") << "what is no encoding stays as it is";
  EXPECT_EQ(authorization("http://u@h:1"), "Basic dTo=") << "an empty password";
}

TEST(Proxy, SaysWhatIsWrongAndNeverThePassword) {
  EXPECT_THAT(fault("http://u:hunter2@x@h:1"), AllOf(HasSubstr("'@' is %40"), Not(HasSubstr("hunter"))));
  EXPECT_THAT(fault("proxy:3128"), HasSubstr("expected http://[user:password@]host:port"));
  EXPECT_THAT(fault("https://h:1"), HasSubstr("not https://"));
  EXPECT_THAT(fault("socks5://h:1"), HasSubstr("another scheme"));
  EXPECT_THAT(fault("http://h"), HasSubstr("names no port"));
  EXPECT_THAT(fault("http://h:1/x"), HasSubstr("has a path"));
  EXPECT_THAT(fault("http://u:a%0d%0ab@h:1"), HasSubstr("control character"));
  EXPECT_THAT(fault("http://a%3Ab:c@h:1"), HasSubstr("':' in the user's name"));
}

}  // namespace
}  // namespace godwit::net
