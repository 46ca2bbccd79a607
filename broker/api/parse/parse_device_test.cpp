#include "broker/api/parse/parse_device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit {
namespace {

using testing::ElementsAre;

template <class Parse>
std::vector<std::string> faults_of(Parse parse, const std::string& json) {
  Faults faults;
  EXPECT_FALSE(parse(json, 32, faults)) << json;
  std::vector<std::string> out;
  for (const Fault& f : faults.list()) out.push_back(f.code + " " + f.pointer);
  return out;
}

constexpr const char* kWhole = R"({
  "user_id": "u42", "platform": "android", "manufacturer": "Xiaomi", "model": "M2012K11AC", "os_version": "13",
  "app_version": "5.2.0", "locale": "zh-CN", "timezone": "Asia/Shanghai", "network": "wifi",
  "location": {"lat": 39.98, "lon": 116}, "tags": ["vip", "city:bj", "vip"],
  "channels": {"mipush": {"token": "abc"}, "selfconn": {}}})";

Device whole() {
  Faults faults;
  auto device = parse_device(kWhole, 32, faults);
  EXPECT_TRUE(device) << faults.summary();
  return device.value_or(Device{});
}

TEST(ParseDevice, ReadsEveryMember) {
  const Device d = whole();
  EXPECT_EQ(d.user_id, "u42");
  EXPECT_EQ(d.platform, "android");
  EXPECT_EQ(d.manufacturer, "Xiaomi");
  EXPECT_EQ(d.model, "M2012K11AC");
  EXPECT_EQ(d.os_version, "13");
  EXPECT_EQ(d.app_version, "5.2.0");
  EXPECT_EQ(d.locale, "zh-CN");
  EXPECT_EQ(d.timezone, "Asia/Shanghai");
  EXPECT_EQ(d.network, "wifi");
  EXPECT_EQ(d.location, (Location{39.98, 116}));
  EXPECT_THAT(d.tags, ElementsAre("vip", "city:bj"));
  ASSERT_EQ(d.channels.size(), 2u);
  EXPECT_EQ(d.channels[0].channel, "mipush");
  EXPECT_EQ(d.channels[0].token, "abc");
  EXPECT_EQ(d.channels[1].token, "");
}

TEST(ParseDevice, EveryFieldWrongInTurnIsNamed) {
  const auto d = [](const std::string& member) { return R"({"platform":"ios",)" + member + "}"; };
  std::string many_channels = "\"channels\":{";
  for (int i = 0; i < 17; ++i) many_channels += (i ? ",\"c" : "\"c") + std::to_string(i) + "\":{}";
  std::string many_tags = "\"tags\":[";
  for (int i = 0; i < 101; ++i) many_tags += (i ? ",\"t" : "\"t") + std::to_string(i) + "\"";
  const std::pair<std::string, const char*> cases[] = {
      {"{}", "required /platform"},
      {R"({"platform":"windows"})", "not_one_of /platform"},
      {R"({"platform":1})", "type /platform"},
      {"[]", "type "},
      {d(R"("user_id":1)"), "type /user_id"},
      {d(R"("user_id":"")"), "length /user_id"},
      {d(R"("user_id":")" + std::string(129, 'u') + "\""), "length /user_id"},
      {d(R"("user_id":"a\nb")"), "format /user_id"},
      {d(R"("manufacturer":[])"), "type /manufacturer"},
      {d(R"("model":null)"), "type /model"},
      {d(R"("os_version":13)"), "type /os_version"},
      {d(R"("app_version":")" + std::string(33, '1') + "\""), "length /app_version"},
      {d(R"("locale":")" + std::string(36, 'x') + "\""), "length /locale"},
      {d(R"("timezone":1)"), "type /timezone"},
      {d(R"("network":1)"), "type /network"},
      {d(R"("location":[1,2])"), "type /location"},
      {d(R"("location":{"lat":1})"), "required /location/lon"},
      {d(R"("location":{"lat":91,"lon":0})"), "range /location/lat"},
      {d(R"("location":{"lat":0,"lon":-181})"), "range /location/lon"},
      {d(R"("location":{"lat":"0","lon":0})"), "type /location/lat"},
      {d(R"("location":{"lat":0,"lon":0,"alt":0})"), "unknown_member /location/alt"},
      {d(R"("tags":"vip")"), "type /tags"},
      {d(R"("tags":["a",1])"), "type /tags/1"},
      {d(R"("tags":[""])"), "length /tags/0"},
      {d(many_tags + "]"), "length /tags"},
      {d(R"("channels":[])"), "type /channels"},
      {d(R"("channels":{"apns":"token"})"), "type /channels/apns"},
      {d(R"("channels":{"apns":{"token":""}})"), "length /channels/apns/token"},
      {d(R"("channels":{"apns":{"token":7}})"), "type /channels/apns/token"},
      {d(R"("channels":{"apns":{"token":")" + std::string(4097, 't') + "\"}}"), "length /channels/apns/token"},
      {d(R"("channels":{"apns":{"tokn":"x"}})"), "unknown_member /channels/apns/tokn"},
      {d(R"("channels":{"a b":{}})"), "format /channels/a b"},
      {d(R"("channels":{"a":{},"a":{}})"), "duplicate /channels/a"},
      {d(many_channels + "}"), "length /channels/c16"},
      {d(R"("device_id":"d1")"), "read_only /device_id"},
      {d(R"("plattform":"ios")"), "unknown_member /plattform"},
      {d(R"("platform":"ios")"), "duplicate /platform"},
  };
  for (const auto& [json, fault] : cases) EXPECT_THAT(faults_of(parse_device, json), ElementsAre(fault)) << json;
}

Result<void> patch(Device& device, std::string_view json) {
  Faults faults;
  const auto edit = parse_device_patch(json, 32, faults);
  EXPECT_TRUE(edit) << json << faults.summary();
  return apply(edit.value_or(DevicePatch{}), device);
}

TEST(PatchDevice, MergesAsRfc7396Says) {
  Device d = whole();
  ASSERT_TRUE(patch(d, R"({"user_id": null, "model": "M3", "location": {"lat": 1}, "tags": ["new"],
                           "channels": {"mipush": null, "xinge": {"token": "t"}, "selfconn": {}}})"));
  EXPECT_EQ(d.user_id, "");
  EXPECT_EQ(d.model, "M3");
  EXPECT_EQ(d.manufacturer, "Xiaomi");
  EXPECT_EQ(d.location, (Location{1, 116}));
  EXPECT_THAT(d.tags, ElementsAre("new"));
  ASSERT_EQ(d.channels.size(), 2u);
  EXPECT_EQ(d.channels[0].channel, "selfconn");
  EXPECT_EQ(d.channels[1].token, "t");
}

TEST(PatchDevice, NullRemovesAndAnEmptyPatchChangesNothing) {
  Device d = whole();
  ASSERT_TRUE(patch(d, "{}"));
  ASSERT_TRUE(patch(d, R"({"channels": {"mipush": {}}})"));
  EXPECT_EQ(d.channels, whole().channels);
  ASSERT_TRUE(patch(d, R"({"location": null, "tags": null, "channels": null})"));
  EXPECT_FALSE(d.location);
  EXPECT_TRUE(d.tags.empty());
  EXPECT_TRUE(d.channels.empty());
}

TEST(PatchDevice, ANewTokenMakesAChannelValidAgain) {
  Device d = whole();
  d.channels[0].invalid = true;
  ASSERT_TRUE(patch(d, R"({"channels": {"mipush": {"token": "new"}}})"));
  EXPECT_FALSE(d.channels[0].invalid);
  EXPECT_EQ(d.channels[0].token, "new");
}

TEST(PatchDevice, HalfALocationNeedsTheOtherHalf) {
  Device d = whole();
  d.location.reset();
  const auto done = patch(d, R"({"location": {"lat": 1}})");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().where, "/location");
}

TEST(PatchDevice, FaultsAreNamed) {
  const std::pair<std::string, const char*> cases[] = {
      {R"({"platform":null})", "required /platform"},
      {R"({"platform":"x"})", "not_one_of /platform"},
      {R"({"model":1})", "type /model"},
      {R"({"tags":{}})", "type /tags"},
      {R"({"location":5})", "type /location"},
      {R"({"location":{"lat":null}})", "type /location/lat"},
      {R"({"channels":{"apns":5}})", "type /channels/apns"},
      {R"({"channels":{"apns":{"token":5}}})", "type /channels/apns/token"},
      {R"({"created_at":"x"})", "read_only /created_at"},
      {R"({"modle":"x"})", "unknown_member /modle"},
  };
  for (const auto& [json, fault] : cases) EXPECT_THAT(faults_of(parse_device_patch, json), ElementsAre(fault)) << json;
}

}  // namespace
}  // namespace godwit
