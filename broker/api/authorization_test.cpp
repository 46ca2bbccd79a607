// Every call of the route table against every kind of caller. A new route is in the matrix by being in the table.
#include "broker/api/api_fixture.hpp"
#include "broker/api/routes/route.hpp"

namespace godwit {
namespace {

using testing::HasSubstr;

struct CallerOfTest {
  const char* name;
  std::string key;
  uint8_t bits;            // of Who, that this caller fulfils
  bool own = true;         // of the app whose ids stand in the paths
  bool self = false;       // the very device in the path
  bool withdrawn = false;  // a good signature, but the registry says no: known only where a device may call at all
};

struct AuthorizationTest : ApiFixture {
  void SetUp() override {
    ApiFixture::SetUp();
    add_device("shop", "d1");
    add_device("shop", "d2");
    add_device("news", "n1");
    message = send_message();
  }
  std::vector<CallerOfTest> callers() {
    return {
        {"own server key", kServerKey, kServer},
        {"own client key", kClientKey, kClient},
        {"the device", credential("shop", "d1"), kDevice, true, true},
        {"another device", credential("shop", "d2"), kDevice},
        {"another app's server key", kOtherKey, kServer, false},
        {"another app's client key", "client-key-of-news", kClient, false},
        {"another app's device", credential("news", "n1"), kDevice, false},
        {"an admin key", kAdminKey, kAdmin | kLoopback},
        {"a wrong key", "wrong-key-of-nobody", 0},
        {"a broken credential", credential("shop", "d1") + "x", 0},
        {"an expired credential", signer.sign({"shop", "d1", 1, clock.wall_ms() - 1}), 0},
        {"a withdrawn credential", credential("shop", "d1", 7), kDevice, true, true, true},
        {"nobody", "", 0},
    };
  }
  std::string path_of(const Route& route) {
    std::string out(route.path);
    const std::pair<const char*, std::string> values[] = {
        {"{device_id}", "d1"}, {"{user_id}", "u1"},  {"{message_id}", message}, {"{topic}", "news"},
        {"{channel}", "c1"},   {"{tail...}", "a/b"}, {"{name}", "c1"}};
    for (const auto& [name, value] : values)
      if (const size_t at = out.find(name); at != out.npos) out.replace(at, std::string_view(name).size(), value);
    EXPECT_EQ(out.find('{'), out.npos) << "a parameter without a value in this test: " << out;
    return out;
  }
  static std::string body_of(const Route& route) {
    const std::string_view schema = route.body.schema;
    if (schema == "DeviceState") return R"({"platform":"ios"})";
    if (schema == "DevicePatch") return "{}";
    if (schema == "Message") return R"({"to":{"user":"u1"},"data":{}})";
    if (schema == "ReceiptArray") return "[]";
    if (schema == "ChannelSwitch") return R"({"state":"enabled"})";
    if (schema == "AnyBody") return "x";
    EXPECT_TRUE(schema.empty()) << "a body without a value in this test: " << schema;
    return "";
  }

  // What must come out: 0 stands for any success.
  static int expected(const Route& route, const CallerOfTest& caller, bool forwarded) {
    if (route.who & kVendor) return 0;
    if (route.who & kLoopback && !forwarded) return 0;
    if (caller.bits == 0) return 401;
    // An admin spans apps, but must say which one where a call is about one.
    if (caller.bits & kAdmin && !(route.who & (kAdmin | kLoopback))) return 403;
    if (!(caller.bits & route.who)) return 403;
    const bool names_device = route.path.find("{device_id}") != route.path.npos;
    const bool names_message = route.path.find("{message_id}") != route.path.npos;
    if (caller.bits & kDevice && names_device && !caller.self) return 403;
    const bool makes_it = route.id == "putDevice";
    if (caller.withdrawn) return 401;
    if (!caller.own && (names_device || names_message) && !makes_it) return 404;
    return 0;
  }

  void check(const Route& route, const CallerOfTest& caller, bool forwarded) {
    add_device("shop", "d1");  // an earlier call may have deleted it, or made one of that name in the other app
    broker.look([&] { broker.devices.erase({"news", "d1"}); });
    http::RawClient fresh(port);
    Headers headers{{"Content-Type", "application/json"}};
    if (route.streams) headers = {{"Content-Type", "application/x-ndjson"}};
    if (forwarded) headers.emplace_back("X-Forwarded-For", "198.51.100.1");
    fresh.send(bytes(std::string(to_string(route.method)), path_of(route), caller.key, body_of(route), headers));
    const http::RawAnswer got = fresh.read_head();
    const int want = expected(route, caller, forwarded);
    const std::string what = std::string(caller.name) + " calls " + std::string(to_string(route.method)) + " " +
                             std::string(route.path) + (forwarded ? " through a proxy" : "");
    if (want == 0)
      EXPECT_LT(got.status, 300) << what;
    else
      EXPECT_EQ(got.status, want) << what;
    if (got.status == 401) {
      EXPECT_EQ(got.header("www-authenticate"), "Bearer") << what;
    }
  }

  std::string message;
};

TEST_F(AuthorizationTest, EveryRouteAnswersEveryCallerAsTheTableSays) {
  for (const Route* route : all_routes())
    for (const CallerOfTest& caller : callers()) check(*route, caller, false);
}

TEST_F(AuthorizationTest, WhatIsOpenOnThisMachineIsNotOpenThroughAProxy) {
  for (const Route* route : all_routes())
    if (route->who & kLoopback)
      for (const CallerOfTest& caller : callers()) check(*route, caller, true);
}

TEST_F(AuthorizationTest, AnAdminNamesTheAppAndThenMayDoWhatItsServersMay) {
  EXPECT_EQ(call("GET", "/v1/devices/d1?app=shop", kAdminKey).status, 200);
  EXPECT_EQ(call("GET", "/v1/devices/d1?app=news", kAdminKey).status, 404);
  EXPECT_EQ(call("GET", "/v1/devices/d1?app=nobody", kAdminKey).status, 404);
  EXPECT_THAT(expect(403, "GET", "/v1/devices/d1", kAdminKey)["detail"], HasSubstr("?app="));
  EXPECT_EQ(call("GET", "/v1/devices/d1?app=shop", kServerKey).status, 422) << "the parameter is the admin's alone";
}

TEST_F(AuthorizationTest, ServerCallsComeFromAllowedAddressesOnly) {
  ApiOptions options = test_options();
  options.keys.apps[0].allow_ips = {"10.0.0.0/8"};
  options.keys.apps[1].allow_ips = {"127.0.0.0/8"};
  start(options);
  EXPECT_THAT(expect(403, "GET", "/v1/devices/d1", kServerKey)["detail"], HasSubstr("127.0.0.1"));
  EXPECT_EQ(call("GET", "/v1/devices/n1", kOtherKey).status, 200);
  EXPECT_EQ(call("GET", "/v1/devices/d1", credential("shop", "d1")).status, 200) << "devices are anywhere";
}

TEST_F(AuthorizationTest, AReloadChangesKeysForTheNextRequest) {
  ApiKeys keys = test_options().keys;
  keys.apps[0].server_keys = {"another-server-key"};
  ASSERT_TRUE(server->reload(keys));
  EXPECT_EQ(call("GET", "/v1/devices/d1", kServerKey).status, 401);
  EXPECT_EQ(call("GET", "/v1/devices/d1", "another-server-key").status, 200);
  keys.apps[0].server_keys = {"short"};
  EXPECT_FALSE(server->reload(keys));
  EXPECT_EQ(call("GET", "/v1/devices/d1", "another-server-key").status, 200);
  keys.apps.erase(keys.apps.begin());
  ASSERT_TRUE(server->reload(keys));
  EXPECT_EQ(call("GET", "/v1/devices/d1", credential("shop", "d1")).status, 401) << "the app is gone";
}

TEST_F(AuthorizationTest, TheCredentialOfADeletedDeviceIsRefused) {
  const std::string key = credential("shop", "d1");
  EXPECT_EQ(call("DELETE", "/v1/devices/d1", key).status, 200);
  EXPECT_EQ(call("GET", "/v1/inbox", key).status, 401);
}

TEST_F(AuthorizationTest, ADeviceReportsForItselfOnly) {
  const std::string body = R"([{"message_id":")" + message + R"(","device_id":"d2","event":"opened"}])";
  EXPECT_THAT(expect(403, "POST", "/v1/receipts", credential("shop", "d1"), body)["detail"], HasSubstr("/0/device_id"));
  EXPECT_EQ(call("POST", "/v1/receipts", credential("shop", "d2"), body).status, 200);
}

TEST_F(AuthorizationTest, TheSchemeIsReadInAnyCaseAndNothingElseIsAccepted) {
  const auto with = [&](const std::string& header) {
    return call("GET", "/v1/devices/d1", "", "", {{"Authorization", header}}).status;
  };
  EXPECT_EQ(with(std::string("bearer ") + kServerKey), 200);
  EXPECT_EQ(with(std::string("Basic ") + kServerKey), 401);
  EXPECT_EQ(with(kServerKey), 401);
  EXPECT_EQ(with("Bearer "), 401);
}

}  // namespace
}  // namespace godwit
