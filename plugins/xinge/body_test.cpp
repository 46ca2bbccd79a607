#include "body.hpp"

#include <gtest/gtest.h>

#include <godwit/json.hpp>

#include "sdk/testhost/parcel.hpp"

namespace xinge {
namespace {

using godwit::Json;
using godwit::testhost::Parcel;
using godwit::testhost::ParcelSpec;

Config config(const char* more = "{}") {
  Json json = {{"access_id", "1500001234"}, {"secret_key", "k"}};
  json.update(Json::parse(more));
  const auto c = Config::parse(json.dump());
  EXPECT_TRUE(c);
  return *c;
}

Said said(const Config& c, const ParcelSpec& spec) {
  const Parcel parcel(spec, 1, 0);
  const auto s = said_of(c, godwit::Message(parcel.message()));
  EXPECT_TRUE(s) << (s ? "" : s.error().message);
  return s ? *s : Said();
}
Json body(const Config& c, const ParcelSpec& spec, std::vector<std::string_view> targets = {"t1"},
          Kind kind = Kind::token) {
  return Json::parse(body_for(c, said(c, spec), kind, targets));
}

TEST(Body, OneTokenAndAList) {
  const Json one = body(config(), {});
  EXPECT_EQ(one["audience_type"], "token");
  EXPECT_EQ(one["token_list"], Json({"t1"}));
  EXPECT_EQ(one["message_type"], "notify");
  EXPECT_EQ(one["message"]["title"], "Hello");
  EXPECT_EQ(one["message"]["content"], "World");
  EXPECT_EQ(one["message"]["android"]["custom_content"], R"({"order":"123"})");
  EXPECT_EQ(one["message"]["android"]["badge_type"], -1);
  EXPECT_EQ(one["ignore_invalid_token"], 1);
  const Json list = body(config(), {}, {"t1", "t2"});
  EXPECT_EQ(list["audience_type"], "token_list");
  EXPECT_EQ(list["token_list"].size(), 2u);
}

TEST(Body, AccountsAndTags) {
  const Json account = body(config(R"({"account_type":2})"), {}, {"u1"}, Kind::account);
  EXPECT_EQ(account["audience_type"], "account");
  EXPECT_EQ(account["account_list"], Json({"u1"}));
  EXPECT_EQ(account["account_type"], 2);
  const Json tag = body(config(), {}, {"news"}, Kind::tag);
  EXPECT_EQ(tag["audience_type"], "tag");
  EXPECT_EQ(tag["tag_rules"][0]["tag_items"][0]["tags"], Json({"news"}));
}

TEST(Body, TheTimeToLiveKeepsToTheVendorsBounds) {
  EXPECT_EQ(body(config(), {.ttl_ms = 0})["expire_time"], 0);
  EXPECT_EQ(body(config(), {.ttl_ms = 5'000})["expire_time"], 800);
  EXPECT_EQ(body(config(), {.ttl_ms = 7'200'000})["expire_time"], 7200);
  EXPECT_EQ(body(config(), {.ttl_ms = UINT64_C(86'400'000) * 30})["expire_time"], 259'200);
  EXPECT_EQ(body(config(R"({"api":"v3"})"), {.ttl_ms = 0})["expire_time"], 800);  // there 0 would be 72 hours
}

TEST(Body, LinksSoundsCategoriesAndDefaults) {
  const Config c = config(R"({"android":{"n_ch_id":"c1"},"categories":{"order":{"hw_category":"IM","n_ch_id":"c2"}}})");
  const Json page =
      body(c, {.content = R"({"notification":{"title":"x","link":"https://a.example","sound":"bell.mp3"}})"});
  EXPECT_EQ(page["message"]["android"]["action"]["browser"]["url"], "https://a.example");
  EXPECT_EQ(page["message"]["android"]["ring_raw"], "bell");
  EXPECT_EQ(page["message"]["android"]["n_ch_id"], "c1");
  const Json order =
      body(c, {.content = R"({"notification":{"title":"x","link":"app://o/1","category":"order","sound":"none"}})"});
  EXPECT_EQ(order["message"]["android"]["action"]["intent"], "app://o/1");
  EXPECT_EQ(order["message"]["android"]["hw_category"], "IM");
  EXPECT_EQ(order["message"]["android"]["n_ch_id"], "c2");
  EXPECT_EQ(order["message"]["android"]["ring"], 0);
}

TEST(Body, IosHasApsAndAnEnvironment) {
  const Config c = config(R"({"platform":"ios","environment":"dev"})");
  const Json shown = body(
      c,
      {.content =
           R"({"notification":{"title":"x","badge":3,"category":"order","link":"app://1"},"data":{"xg":"no","a":"b"}})"});
  EXPECT_EQ(shown["environment"], "dev");
  EXPECT_EQ(shown["message"]["ios"]["aps"]["badge_type"], 3);
  EXPECT_EQ(shown["message"]["ios"]["aps"]["category"], "order");
  EXPECT_EQ(Json::parse(shown["message"]["ios"]["custom_content"].get<std::string>()),
            Json({{"a", "b"}, {"link", "app://1"}}));
  const Json silent = body(c, {.flags = GW_MSG_SILENT});
  EXPECT_EQ(silent["message_type"], "message");
  EXPECT_EQ(silent["message"]["ios"]["aps"], Json({{"content-available", 1}}));
}

TEST(Body, OverridesCannotChooseTheTarget) {
  const Json b = body(
      config(),
      {.vendor_options =
           R"({"audience_type":"all","token_list":["evil"],"channel_rules":[{"channel":"xm","disable":true}],"message":{"android":{"ring":0}}})"});
  EXPECT_EQ(b["audience_type"], "token");
  EXPECT_EQ(b["token_list"], Json({"t1"}));
  EXPECT_EQ(b["channel_rules"][0]["channel"], "xm");
  EXPECT_EQ(b["message"]["android"]["ring"], 0);
}

TEST(Body, V3NamesThePlatformAndListsBeginWithPushIdZero) {
  const Config c = config(R"({"api":"v3"})");
  EXPECT_EQ(body(c, {})["platform"], "android");
  EXPECT_FALSE(body(c, {}).contains("push_id"));
  EXPECT_EQ(body(c, {}, {"a", "b"})["push_id"], "0");
  EXPECT_EQ(body(c, {})["message"]["android"]["custom_content"], Json({{"order", "123"}}));  // an object here
}

TEST(Body, V2StoresAListAndNamesItThen) {
  const Config c = config(R"({"api":"v2"})");
  const Said s = said(c, {});
  const V2Call one = v2_call(s, Kind::token, {"t1"}, {});
  EXPECT_EQ(one.path, "/v2/push/single_device");
  EXPECT_EQ(one.parameters.at("device_token"), "t1");
  EXPECT_EQ(one.parameters.at("message_type"), "1");
  EXPECT_EQ(Json::parse(one.parameters.at("message"))["title"], "Hello");
  EXPECT_EQ(v2_store(s).path, "/v2/push/create_multipush");
  EXPECT_FALSE(v2_store(s).parameters.contains("device_token"));
  const V2Call list = v2_call(s, Kind::token, {"t1", "t2"}, "77");
  EXPECT_EQ(list.path, "/v2/push/device_list_multiple");
  EXPECT_EQ(list.parameters, (Parameters{{"device_list", R"(["t1","t2"])"}, {"push_id", "77"}}));
}

TEST(Body, FourKilobytesAreTheLimit) {
  const Parcel parcel({.content = R"({"notification":{"title":"x","body":")" + std::string(4200, 'x') + "\"}}"}, 1, 0);
  const auto s = said_of(config(), godwit::Message(parcel.message()));
  ASSERT_FALSE(s);
  EXPECT_NE(s.error().message.find("4096"), std::string::npos);
}

}  // namespace
}  // namespace xinge
