#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/api/api_server.hpp"
#include "broker/api/auth/keyring.hpp"
#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

using testing::HasSubstr;

ApiKeys keys() {
  ApiKeys out;
  out.apps.push_back(
      {"shop", {"server-key-1", "sha256:" + to_hex(sha256("server-key-2"))}, {"client-key-1"}, {}, 0, 0});
  out.apps.push_back({"news", {"news-server-key"}, {}, {"10.0.0.0/8", "2001:db8::/32", "192.0.2.7"}, 0, 0});
  out.admin_keys = {"admin-key-1"};
  return out;
}

std::shared_ptr<const Keyring> ring(const ApiKeys& from = keys()) {
  auto built = Keyring::build(from, nullptr);
  EXPECT_TRUE(built);
  return built ? *built : nullptr;
}

TEST(Keyring, FindsPlainAndHashedKeysAndNothingElse) {
  const auto r = ring();
  EXPECT_EQ(r->find("server-key-1").role, Role::server);
  EXPECT_EQ(r->find("server-key-2").app->id, "shop");
  EXPECT_EQ(r->find("client-key-1").role, Role::client);
  EXPECT_EQ(r->find("admin-key-1").role, Role::admin);
  EXPECT_EQ(r->find("news-server-key").app->id, "news");
  for (const std::string& wrong : {std::string(), std::string("server-key-"), std::string("server-key-11"),
                                   to_hex(sha256("server-key-2")), "sha256:" + to_hex(sha256("server-key-2"))})
    EXPECT_EQ(r->find(wrong).role, Role::nobody) << wrong;
}

TEST(Keyring, ListsWithoutGivingKeysAway) {
  const auto r = ring();
  ASSERT_EQ(r->list().size(), 5u);
  EXPECT_EQ(r->list()[0].sha256_prefix, to_hex(sha256("server-key-1")).substr(0, 12));
}

TEST(Keyring, FaultsNameTheirPlaceAndNeverTheKey) {
  const auto fault = [](auto change) {
    ApiKeys bad = keys();
    change(bad);
    const auto checked = check_api_keys(bad);
    EXPECT_FALSE(checked);
    return checked ? "" : checked.error().message;
  };
  EXPECT_THAT(fault([](ApiKeys& k) { k.apps[0].server_keys[1] = "sha256:abc"; }), HasSubstr("apps[0].server_keys[1]"));
  const std::string short_key = fault([](ApiKeys& k) { k.apps[0].client_keys[0] = "short"; });
  EXPECT_THAT(short_key, HasSubstr("apps[0].client_keys[0]"));
  EXPECT_THAT(short_key, testing::Not(HasSubstr("short")));
  EXPECT_THAT(fault([](ApiKeys& k) { k.apps[1].server_keys[0] = "server-key-2"; }), HasSubstr("there already"));
  EXPECT_THAT(fault([](ApiKeys& k) { k.apps[1].id = "shop"; }), HasSubstr("apps[1].id"));
  EXPECT_THAT(fault([](ApiKeys& k) { k.apps[1].id = ""; }), HasSubstr("apps[1].id"));
  EXPECT_THAT(fault([](ApiKeys& k) { k.apps[1].allow_ips[0] = "10.0.0.0/33"; }), HasSubstr("apps[1].allow_ips[0]"));
  EXPECT_THAT(fault([](ApiKeys& k) { k.admin_keys[0] = "has a space"; }), HasSubstr("admin_keys[0]"));
}

TEST(AppAccess, AdmitsItsNetworksOnly) {
  const auto r = ring();
  const AppAccess& news = *r->app("news");
  for (const char* in : {"10.0.0.1", "10.255.255.255", "192.0.2.7", "2001:db8:1::1", "::ffff:10.1.2.3"})
    EXPECT_TRUE(news.admits(*http::IpAddress::parse(in))) << in;
  for (const char* out : {"11.0.0.1", "192.0.2.8", "2001:db9::1", "127.0.0.1", "::1"})
    EXPECT_FALSE(news.admits(*http::IpAddress::parse(out))) << out;
  EXPECT_TRUE(r->app("shop")->admits(*http::IpAddress::parse("8.8.8.8")));
}

TEST(TokenBucket, AdmitsASecondsWorthAtOnceAndThenItsRate) {
  TokenBucket bucket;
  bucket.set_rate(10);
  MonoNs now = 100 * kNsPerSecond;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bucket.take(1, now), 0) << i;
  EXPECT_NEAR(bucket.take(1, now), 0.1, 0.001);
  now += kNsPerSecond / 10;
  EXPECT_EQ(bucket.take(1, now), 0);
  EXPECT_GT(bucket.take(1, now), 0);
}

TEST(TokenBucket, ALargeTakingIsPaidOffBeforeTheNext) {
  TokenBucket bucket;
  bucket.set_rate(100);
  MonoNs now = 100 * kNsPerSecond;
  EXPECT_EQ(bucket.take(500, now), 0);
  EXPECT_NEAR(bucket.take(1, now), 4.01, 0.001);
  now += 5 * kNsPerSecond;
  EXPECT_EQ(bucket.take(1, now), 0);
}

TEST(TokenBucket, SlowRatesAndNoRate) {
  TokenBucket slow, none;
  slow.set_rate(0.1);
  EXPECT_EQ(slow.take(1, kNsPerSecond), 0);
  EXPECT_NEAR(slow.take(1, kNsPerSecond), 10, 0.001);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(none.take(1'000'000, kNsPerSecond), 0);
}

TEST(Keyring, AReloadKeepsTheLevelOfTheQuota) {
  ApiKeys limited = keys();
  limited.apps[0].messages_per_second = 1;
  const auto first = *Keyring::build(limited, nullptr);
  EXPECT_EQ(first->app("shop")->quota->messages.take(1, kNsPerSecond), 0);
  const auto second = *Keyring::build(limited, first.get());
  EXPECT_GT(second->app("shop")->quota->messages.take(1, kNsPerSecond), 0);
}

}  // namespace
}  // namespace godwit
