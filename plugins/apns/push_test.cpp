// What a neutral message becomes: payload, headers, limits (apns.md §3, §4).
#include "push.hpp"

#include <gtest/gtest.h>

#include <map>

#include "sdk/testhost/parcel.hpp"

namespace apns {
namespace {

using godwit::Json;
using godwit::testhost::Parcel;
using godwit::testhost::ParcelSpec;

constexpr uint64_t kNow = 1'760'000'000'000;
const std::string kToken(64, 'a');

struct Made {
  Rendered rendered;
  std::string path;
  std::map<std::string, std::string> headers;
  Json body;
  std::string error;
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "absent" : found->second;
  }
};

Made make(ParcelSpec spec, Config config = {}) {
  config.topic = "org.example.chat";
  if (spec.addresses == std::vector<std::string>{"token-1"}) spec.addresses = {kToken};
  const Parcel parcel(spec, 1, 0);
  const godwit::Message message(parcel.message());
  Made made;
  auto rendered = render(config, message, kNow);
  if (!rendered) {
    const std::string& text = rendered.error().message;
    made.error = text.substr(0, text.find(": "));
    return made;
  }
  made.rendered = *rendered;
  Push push;
  write_push(config, made.rendered, *parse_address(spec.addresses[0], config.environment), message, kNow, push);
  made.path = push.path;
  for (const auto& [name, value] : push.headers) EXPECT_TRUE(made.headers.emplace(name, value).second) << name;
  made.body = Json::parse(made.rendered.body);
  return made;
}

Json aps(const std::string& notification) {
  return make({.content = R"({"notification":)" + notification + "}", .priority = 1}).body["aps"];
}

TEST(Push, MapsTheWholeNotification) {
  const Made m = make({.message_id = "01mid",
                       .content = R"({"notification":{"title":"Ada","body":"Lunch?","badge":3,"sound":"default",
                          "thread_id":"room-42","category":"MSG","link":"chat://room/42","image":"https://i/a.jpg"},
                          "data":{"room":"42","aps":"never"}})",
                       .collapse_key = "room-42",
                       .ttl_ms = 3'600'000,
                       .priority = 2});
  EXPECT_EQ(m.body, Json::parse(R"({"aps":{"alert":{"title":"Ada","body":"Lunch?"},"badge":3,"sound":"default",
     "thread-id":"room-42","category":"MSG","mutable-content":1},
     "link":"chat://room/42","image":"https://i/a.jpg","room":"42","message_id":"01mid"})"));
  EXPECT_EQ(m.path, "/3/device/" + kToken);
  EXPECT_EQ(m.header("apns-topic"), "org.example.chat");
  EXPECT_EQ(m.header("apns-push-type"), "alert");
  EXPECT_EQ(m.header("apns-priority"), "10");
  EXPECT_EQ(m.header("apns-expiration"), "1760003600");
  EXPECT_EQ(m.header("apns-collapse-id"), "room-42");
  EXPECT_EQ(m.header("authorization"), "absent") << "the channel's to add";
}

TEST(Push, LeavesThePlainTextOutWhereAKeyIsGiven) {
  EXPECT_EQ(aps(R"({"title":"x","title_loc_key":"T","title_loc_args":["a"],"body":"y","body_loc_key":"B",
                    "body_loc_args":["b","c"]})")["alert"],
            Json::parse(R"({"title-loc-key":"T","title-loc-args":["a"],"loc-key":"B","loc-args":["b","c"]})"));
}

TEST(Push, SilentMessagesWakeTheAppAndShowNothing) {
  const Made m = make(
      {.content = R"({"notification":{"title":"no"},"data":{"sync":"inbox"}})", .priority = 3, .flags = GW_MSG_SILENT});
  EXPECT_EQ(m.body["aps"], Json::parse(R"({"content-available":1})"));
  EXPECT_EQ(m.body["sync"], "inbox");
  EXPECT_EQ(m.header("apns-push-type"), "background");
  EXPECT_EQ(m.header("apns-priority"), "5") << "10 is an error for background pushes";
}

TEST(Push, MapsPriorityAndUrgency) {
  const auto of = [](uint32_t level) { return make({.priority = level}); };
  EXPECT_EQ(of(0).header("apns-priority"), "1");
  EXPECT_EQ(of(1).header("apns-priority"), "5");
  EXPECT_EQ(of(2).header("apns-priority"), "10");
  EXPECT_EQ(of(3).header("apns-priority"), "10");
  EXPECT_EQ(of(0).body["aps"]["interruption-level"], "passive");
  EXPECT_FALSE(of(2).body["aps"].contains("interruption-level"));
  EXPECT_EQ(of(3).body["aps"]["interruption-level"], "time-sensitive");
}

TEST(Push, MergesTheOverridesAndTakesHeadersFromThem) {
  const Made m = make({.vendor_options = R"({"aps":{"interruption-level":"critical","relevance-score":0.5,
     "sound":{"critical":1,"name":"x","volume":0.8},"alert":{"subtitle":"s"},"mutable-content":null},"extra":1,
     "headers":{"apns-priority":5,"apns-collapse-id":"c","apns-expiration":"0"}})",
                       .priority = 2});
  EXPECT_EQ(m.body["aps"],
            Json::parse(R"({"alert":{"title":"Hello","body":"World","subtitle":"s"},"relevance-score":0.5,
     "interruption-level":"critical","sound":{"critical":1,"name":"x","volume":0.8}})"));
  EXPECT_EQ(m.body["extra"], 1);
  EXPECT_FALSE(m.body.contains("headers"));
  EXPECT_EQ(m.header("apns-priority"), "5");
  EXPECT_EQ(m.header("apns-collapse-id"), "c");
  EXPECT_EQ(m.header("apns-expiration"), "0");
}

TEST(Push, RefusesHeadersThatApplesServersCouldNotRead) {
  const auto error = [](const std::string& headers) {
    return make({.vendor_options = R"({"headers":)" + headers + "}"}).error;
  };
  for (const char* headers :
       {R"({"apns-topic":"a\nb"})", R"({"apns-topic":" a"})", R"({"apns-collapse-id":"é"})", R"({"apns-id":"x"})",
        R"({"authorization":"bearer x"})", R"({"apns-priority":[5]})", R"({"apns-priority":5.5})", R"("apns-topic")"})
    EXPECT_EQ(error(headers), "BadOverride") << headers;
  EXPECT_EQ(error(R"({"apns-priority":"5","apns-expiration":0})"), "");
  EXPECT_EQ(make({.collapse_key = "é中"}).header("apns-collapse-id").size(), 64u) << "hashed, as one that is too long";
  EXPECT_EQ(make({.collapse_key = " a"}).header("apns-collapse-id").size(), 64u);
}

TEST(Push, GivesEachPushTypeItsTopic) {
  const std::pair<const char*, const char*> topics[] = {{"voip", "org.example.chat.voip"},
                                                        {"complication", "org.example.chat.complication"},
                                                        {"controls", "org.example.chat.push-type.controls"},
                                                        {"fileprovider", "org.example.chat.pushkit.fileprovider"},
                                                        {"liveactivity", "org.example.chat.push-type.liveactivity"},
                                                        {"location", "org.example.chat.location-query"},
                                                        {"pushtotalk", "org.example.chat.voip-ptt"},
                                                        {"widgets", "org.example.chat.push-type.widgets"},
                                                        {"alert", "org.example.chat"}};
  for (const auto& [type, topic] : topics) {
    const Made m = make({.vendor_options = std::string(R"({"headers":{"apns-push-type":")") + type + R"("}})"});
    EXPECT_EQ(m.header("apns-topic"), topic);
    EXPECT_EQ(m.header("apns-push-type"), type);
  }
  const Made own = make({.vendor_options = R"({"headers":{"apns-topic":"com.apple.mgmt.X","apns-push-type":"mdm"}})"});
  EXPECT_EQ(own.header("apns-topic"), "com.apple.mgmt.X");
  EXPECT_TRUE(own.rendered.own_topic);
  EXPECT_EQ(make({.vendor_options = R"({"headers":{"apns-push-type":"telepathy"}})"}).error, "InvalidPushType");
}

TEST(Push, ALiveActivityNeedsNoHeaders) {
  const Made m = make({.content = "{}", .vendor_options = R"({"aps":{"event":"update","content-state":{"score":1}}})"});
  EXPECT_EQ(m.header("apns-push-type"), "liveactivity");
  EXPECT_EQ(m.body["aps"]["timestamp"], kNow / 1000) << "Apple wants one";
}

TEST(Push, GoesToABroadcastChannelByItsId) {
  const Made m = make({.addresses = {"broadcast:dHN0LXNyY2gtY2hubA=="},
                       .content = "{}",
                       .vendor_options = R"({"aps":{"event":"update","content-state":{}}})",
                       .ttl_ms = 0});
  EXPECT_EQ(m.path, "/4/broadcasts/apps/org.example.chat");
  EXPECT_EQ(m.header("apns-channel-id"), "dHN0LXNyY2gtY2hubA==");
  EXPECT_EQ(m.header("apns-topic"), "absent");
  EXPECT_EQ(m.header("apns-expiration"), "0");
}

TEST(Push, KeepsToApplesLimits) {
  const std::string long_key(65, 'k');
  EXPECT_EQ(make({.collapse_key = std::string(64, 'k')}).header("apns-collapse-id"), std::string(64, 'k'));
  const std::string hashed = make({.collapse_key = long_key}).header("apns-collapse-id");
  EXPECT_EQ(hashed.size(), 64u);
  EXPECT_NE(hashed, long_key.substr(0, 64));

  const auto sized = [](size_t bytes, const char* options) {
    return make(
        {.content = R"({"notification":{"body":")" + std::string(bytes, 'x') + R"("}})", .vendor_options = options});
  };
  EXPECT_EQ(sized(4096, "").error, "PayloadTooLarge");
  EXPECT_EQ(sized(3900, "").error, "");
  EXPECT_EQ(sized(4800, R"({"headers":{"apns-push-type":"voip"}})").error, "") << "5120 for voip";
  EXPECT_EQ(sized(5120, R"({"headers":{"apns-push-type":"voip"}})").error, "PayloadTooLarge");
  EXPECT_EQ(make({.content = R"({"data":{"a":"b"}})"}).error, "PayloadEmpty") << "nothing to show, and not silent";
  EXPECT_EQ(make({.ttl_ms = 0}).header("apns-expiration"), "0") << "now or never";
}

TEST(Push, NamesAMessageToADeviceTheSameOverRetries) {
  const auto apns_id = [](const char* message, const std::string& token) {
    std::string id;
    write_apns_id(message, token, id);
    return id;
  };
  const std::string id = apns_id("01mid", kToken);
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(id[8], '-');
  EXPECT_EQ(id, apns_id("01mid", kToken));
  EXPECT_NE(id, apns_id("01mid", std::string(64, 'b')));
}

TEST(Push, ReadsWhereATokenBelongs) {
  EXPECT_EQ(parse_address("sandbox:abcd", Environment::production)->environment, Environment::sandbox);
  EXPECT_EQ(parse_address("production:abcd", Environment::sandbox)->environment, Environment::production);
  EXPECT_EQ(parse_address("ABCD", Environment::sandbox)->environment, Environment::sandbox);
  EXPECT_TRUE(parse_address("broadcast:QUJD", Environment::production)->is_broadcast);
  for (const char* wrong : {"", "abc", "xyz0", "sandbox:", "broadcast:", "broadcast:a/../b?", "ab/cd0"})
    EXPECT_FALSE(parse_address(wrong, Environment::production)) << wrong;
  EXPECT_FALSE(parse_address(std::string(202, 'a'), Environment::production));
}

TEST(Push, SendsBytesThatAreNoTextAsSomethingThatIs) {
  EXPECT_EQ(make({.content = "{\"notification\":{\"title\":\"\xff\"}}"}).error, "BadContent");
  EXPECT_EQ(make({.content = "[1]"}).error, "BadContent");
}

}  // namespace
}  // namespace apns
