#include "broker/api/parse/parse_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallMs kNow = 1'790'000'000'000;  // 2026-09-21T14:13:20Z

std::optional<MessageDraft> parse(std::string_view json, Faults& faults, std::string_view key = "") {
  return parse_message(json, MessageRules{}, AppRules{}, kNow, key, faults);
}

MessageDraft good(std::string_view json, std::string_view key = "") {
  Faults faults;
  auto draft = parse(json, faults, key);
  EXPECT_TRUE(draft) << json << "\n" << faults.summary();
  return draft.value_or(MessageDraft{});
}

std::vector<std::string> fault_places(std::string_view json, std::string_view key = "") {
  Faults faults;
  EXPECT_FALSE(parse(json, faults, key)) << json;
  std::vector<std::string> out;
  for (const Fault& f : faults.list()) out.push_back(f.code + " " + f.pointer);
  return out;
}

TEST(ParseMessage, ReadsEveryMember) {
  const MessageDraft draft = good(R"({
    "to": {"user": "u42"},
    "notification": {"title": "New \"order\"", "body": "Flat viewing", "image": "https://x/y.png", "sound": "default",
      "badge": 3, "category": "order", "thread_id": "o-123", "link": "app://order/123", "title_loc_key": "T",
      "title_loc_args": ["a", "b"], "body_loc_key": "B", "body_loc_args": []},
    "data": {"order_id": "123", "n": 1.50, "nested": {"a": [1, 2, {"b": null}]}},
    "options": {"ttl": 3600, "priority": "high", "collapse_key": "order-123", "deliver_at": "2026-09-21T15:13:20Z",
      "silent": true, "channels": ["selfconn", "mipush"], "routing": "ordered", "class": "marketing"},
    "overrides": {"apns": {"aps": {"interruption-level": "time-sensitive"}}, "mipush": { }}
  })");
  const Message& m = draft.message;
  EXPECT_EQ(m.to.kind, AudienceKind::user);
  EXPECT_THAT(m.to.names, ElementsAre("u42"));
  EXPECT_EQ(m.content, R"({"notification":{"title":"New \"order\"","body":"Flat viewing","image":"https://x/y.png",)"
                       R"("sound":"default","badge":3,"category":"order","thread_id":"o-123","link":"app://order/123",)"
                       R"("title_loc_key":"T","title_loc_args":["a","b"],"body_loc_key":"B","body_loc_args":[]},)"
                       R"("data":{"order_id":"123","n":1.50,"nested":{"a":[1,2,{"b":null}]}}})");
  EXPECT_EQ(m.ttl_ms, 3'600'000);
  EXPECT_EQ(m.priority, Priority::high);
  EXPECT_EQ(m.collapse_key, "order-123");
  EXPECT_EQ(m.deliver_at_ms, kNow + 3'600'000);
  EXPECT_TRUE(m.silent);
  EXPECT_THAT(m.channels, ElementsAre("selfconn", "mipush"));
  EXPECT_EQ(m.routing, RoutingMode::ordered);
  EXPECT_EQ(m.message_class, MessageClass::marketing);
  ASSERT_EQ(m.overrides.size(), 2u);
  EXPECT_EQ(m.overrides[0].first, "apns");
  EXPECT_EQ(m.overrides[0].second, R"({"aps":{"interruption-level":"time-sensitive"}})");
  EXPECT_EQ(m.overrides[1].second, "{}");
}

TEST(ParseMessage, TakesTheAppsRoutingWhereItNamesNone) {
  Faults faults;
  const std::string_view to = R"("to":{"user":"u"},"notification":{"title":"t"})";
  const auto parse_for = [&](const std::string& options) {
    const std::string text = "{" + std::string(to) + options + "}";
    return parse_message(text, MessageRules{}, {RoutingMode::ordered, {}}, kNow, "", faults)->message.routing;
  };
  EXPECT_EQ(parse_for(""), RoutingMode::ordered);  // in the order of the app's channels: none need be listed
  EXPECT_EQ(parse_for(R"(,"options":{"ttl":60})"), RoutingMode::ordered);
  EXPECT_EQ(parse_for(R"(,"options":{"routing":"best"})"), RoutingMode::best);
}

TEST(ParseMessage, TheShortestMessageGetsTheDefaults) {
  const Message m = good(R"({"to":{"device":"d1"},"data":{}})").message;
  EXPECT_EQ(m.content, R"({"data":{}})");
  EXPECT_EQ(m.ttl_ms, 24 * 3'600'000);
  EXPECT_EQ(m.priority, Priority::normal);
  EXPECT_EQ(m.message_class, MessageClass::transactional);
  EXPECT_EQ(m.routing, RoutingMode::best);
  EXPECT_EQ(m.deliver_at_ms, 0);
  EXPECT_FALSE(m.silent);
}

TEST(ParseMessage, ReadsEveryAudience) {
  const auto to = [](std::string_view json) {
    return good(R"({"to":)" + std::string(json) + R"(,"data":{}})").message.to;
  };
  EXPECT_THAT(to(R"({"users":["a","b"]})").names, ElementsAre("a", "b"));
  EXPECT_EQ(to(R"({"users":["a","b"]})").kind, AudienceKind::users);
  EXPECT_THAT(to(R"({"devices":["a:1","b@x"]})").names, ElementsAre("a:1", "b@x"));
  const Audience token = to(R"({"token":{"channel":"apns-a","token":"abc"}})");
  EXPECT_EQ(token.kind, AudienceKind::token);
  EXPECT_EQ(token.channel, "apns-a");
  EXPECT_THAT(token.names, ElementsAre("abc"));
  EXPECT_EQ(to(R"({"topic":"news"})").kind, AudienceKind::topic);
  EXPECT_EQ(to(R"({"all":true})").kind, AudienceKind::all);
  EXPECT_EQ(to(R"({"user":"张三 <z@x>"})").names.at(0), "张三 <z@x>");
}

TEST(ParseMessage, EveryFieldWrongInTurnIsNamed) {
  struct Case {
    const char *members, *fault;
  };
  const std::string long_name(129, 'x'), many_users = [] {
    std::string out = "[\"u\"";
    for (int i = 0; i < 1000; ++i) out += ",\"u\"";
    return out + "]";
  }();
  const auto n = [](std::string_view member) {
    return R"("to":{"user":"u"},"notification":{)" + std::string(member) + "}";
  };
  const auto o = [](std::string_view member) {
    return R"("to":{"user":"u"},"data":{},"options":{)" + std::string(member) + "}";
  };
  const auto t = [](std::string_view to) { return R"("data":{},"to":)" + std::string(to); };
  const std::pair<std::string, const char*> cases[] = {
      {t("5"), "type /to"},
      {t("{}"), "required /to"},
      {t(R"({"user":"a","device":"b"})"), "exclusive /to"},
      {t(R"({"usr":"a","user":"a"})"), "unknown_member /to/usr"},
      {t(R"({"user":7})"), "type /to/user"},
      {t(R"({"user":""})"), "format /to/user"},
      {t(R"({"user":")" + long_name + "\"}"), "format /to/user"},
      {t(R"({"user":"a\u0000b"})"), "format /to/user"},
      {t(R"({"users":"u"})"), "type /to/users"},
      {t(R"({"users":[]})"), "length /to/users"},
      {t(R"({"users":["u",1]})"), "type /to/users/1"},
      {t(R"({"users":)" + many_users + "}"), "length /to/users"},
      {t(R"({"device":"a b"})"), "format /to/device"},
      {t(R"({"device":")" + std::string(65, 'a') + "\"}"), "format /to/device"},
      {t(R"({"devices":["ok","a/b"]})"), "format /to/devices/1"},
      {t(R"({"token":"abc"})"), "type /to/token"},
      {t(R"({"token":{"channel":"c"}})"), "required /to/token/token"},
      {t(R"({"token":{"token":"t"}})"), "required /to/token/channel"},
      {t(R"({"token":{"channel":"c","token":")" + std::string(4097, 'a') + "\"}}"), "length /to/token/token"},
      {t(R"({"token":{"channel":"c","token":"t","x":1}})"), "unknown_member /to/token/x"},
      {t(R"({"topic":"a b"})"), "format /to/topic"},
      {t(R"({"all":false})"), "not_one_of /to/all"},
      {t(R"({"all":"yes"})"), "type /to/all"},
      {t(R"({"condition":"'a' in topics"})"), "unsupported /to/condition"},
      {t(R"({"near":{"lat":1,"lon":2,"radius_m":3}})"), "unsupported /to/near"},
      {n(R"("title":5)"), "type /notification/title"},
      {n(R"("titel":"x")"), "unknown_member /notification/titel"},
      {n(R"("title":"a","title":"b")"), "duplicate /notification/title"},
      {n(R"("image":")" + std::string(2049, 'x') + "\""), "length /notification/image"},
      {n(R"("link":[])"), "type /notification/link"},
      {n(R"("badge":-1)"), "range /notification/badge"},
      {n(R"("badge":1.5)"), "type /notification/badge"},
      {n(R"("badge":18446744073709551615)"), "range /notification/badge"},
      {n(R"("title_loc_args":"a")"), "type /notification/title_loc_args"},
      {n(R"("body_loc_args":["a",2])"), "type /notification/body_loc_args/1"},
      {R"("to":{"user":"u"},"notification":[])", "type /notification"},
      {R"("to":{"user":"u"},"notification":null)", "type /notification"},
      {R"("to":{"user":"u"},"data":"x")", "type /data"},
      {R"("to":{"user":"u"})", "required /notification"},
      {R"("data":{})", "required /to"},
      {R"("to":{"user":"u"},"data":{},"dtaa":{})", "unknown_member /dtaa"},
      {R"("to":{"user":"u"},"data":{},"data":{})", "duplicate /data"},
      {R"("to":{"user":"u"},"data":{},"options":7)", "type /options"},
      {o(R"("ttl":-1)"), "range /options/ttl"},
      {o(R"("ttl":2419201)"), "range /options/ttl"},
      {o(R"("ttl":"60")"), "type /options/ttl"},
      {o(R"("ttl":1.5)"), "type /options/ttl"},
      {o(R"("priority":"urgent")"), "not_one_of /options/priority"},
      {o(R"("priority":1)"), "type /options/priority"},
      {o(R"("collapse_key":"")"), "length /options/collapse_key"},
      {o(R"("collapse_key":")" + std::string(65, 'x') + "\""), "length /options/collapse_key"},
      {o(R"("deliver_at":"tomorrow")"), "format /options/deliver_at"},
      {o(R"("deliver_at":1790000000)"), "type /options/deliver_at"},
      {o(R"("deliver_at":"2026-10-21T14:13:21Z")"), "range /options/deliver_at"},
      {o(R"("deliver_at":"2026-09-20T14:13:19Z")"), "range /options/deliver_at"},
      {o(R"("silent":"no")"), "type /options/silent"},
      {o(R"("channels":"apns")"), "type /options/channels"},
      {o(R"("channels":[])"), "length /options/channels"},
      {o(R"("channels":["a","a"])"), "duplicate /options/channels/1"},
      {o(R"("channels":["a/b"])"), "format /options/channels/0"},
      {o(R"("routing":"fastest")"), "not_one_of /options/routing"},
      {o(R"("routing":"ordered")"), "required /options/channels"},
      {o(R"("class":"spam")"), "not_one_of /options/class"},
      {o(R"("clas":"marketing")"), "unknown_member /options/clas"},
      {R"("to":{"user":"u"},"data":{},"overrides":[])", "type /overrides"},
      {R"("to":{"user":"u"},"data":{},"overrides":{"apns":1})", "type /overrides/apns"},
      {R"("to":{"user":"u"},"data":{},"overrides":{"a/b~":{}})", "format /overrides/a~1b~0"},
      {R"("to":{"user":"u"},"data":{},"overrides":{"a":{},"a":{}})", "duplicate /overrides/a"},
      {R"("to":{"user":"u"},"data":{},"overrides":{"a":{"x":")" + std::string(5000, 'x') + "\"}}",
       "too_large /overrides"},
      {R"("to":{"user":"u"},"data":{},"idempotency_key":"")", "format /idempotency_key"},
      {R"("to":{"user":"u"},"data":{},"idempotency_key":")" + std::string(256, 'x') + "\"", "format /idempotency_key"},
      {R"("to":{"user":"u"},"data":{"x":")" + std::string(5000, 'x') + "\"}", "too_large /data"},
      {n(R"("body":")" + std::string(5000, 'x') + "\""), "too_large /notification"},
  };
  for (const auto& [members, fault] : cases)
    EXPECT_THAT(fault_places("{" + members + "}"), ElementsAre(fault)) << members;
}

TEST(ParseMessage, AllFaultsComeAtOnce) {
  EXPECT_THAT(fault_places(R"({"to":{"usr":"u"},"notification":{"badge":"x"},"options":{"ttl":-1,"priority":"x"}})"),
              ElementsAre("unknown_member /to/usr", "required /to", "type /notification/badge", "range /options/ttl",
                          "not_one_of /options/priority"));
}

TEST(ParseMessage, AnUnknownMemberNamesTheNearestKnownOne) {
  Faults faults;
  parse(R"({"to":{"user":"u"},"notification":{"titel":"x"}})", faults);
  EXPECT_THAT(faults.list().at(0).detail, HasSubstr("did you mean 'title'"));
}

TEST(ParseMessage, AMemberAtTheTopThatBelongsElsewhereIsToldWhere) {
  Faults faults;
  parse(R"({"to":{"user":"u"},"data":{},"priority":"high","body":"x"})", faults);
  EXPECT_EQ(faults.list().at(0).detail, "belongs in 'options'");
  EXPECT_EQ(faults.list().at(1).detail, "belongs in 'notification'");
}

TEST(ParseMessage, RefusesWhatNoChannelOfTheAppCouldCarry) {
  const AppRules app{RoutingMode::best, {"selfconn", "mipush"}};
  const auto fault_of = [&](std::string_view json) {
    Faults faults;
    parse_message(json, MessageRules{}, app, kNow, "", faults);
    return faults.empty() ? std::string() : faults.list()[0].pointer + " " + faults.list()[0].detail;
  };
  EXPECT_EQ(fault_of(R"({"to":{"token":{"channel":"mipsh","token":"t"}},"data":{}})"),
            "/to/token/channel is not a channel of this app, which has selfconn, mipush (did you mean 'mipush'?)");
  EXPECT_EQ(fault_of(R"({"to":{"user":"u"},"data":{},"options":{"channels":["apns","fcm"]}})"),
            "/options/channels names no channel of this app, which has selfconn, mipush");
  EXPECT_EQ(fault_of(R"({"to":{"user":"u"},"data":{},"options":{"channels":["apns","mipush"]}})"), "")
      << "one list may serve several brokers";
  EXPECT_EQ(fault_of(R"({"to":{"token":{"channel":"mipush","token":"t"}},"data":{}})"), "");
}

TEST(ParseMessage, WhatIsNotJsonIsA400WithItsReason) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "empty"},
      {"   ", "empty"},
      {"{", "not JSON"},
      {R"({"to":{"user":"u"},"data":{"n":1 2}})", "not JSON"},
      {R"({"to":{"user":"u"},"data":{"n":tru e}})", "not JSON"},
      {R"({"to":{"user":"u"},"data":{},})", "not JSON"},
      {"{\"to\":\"\xff\"}", "UTF-8"},
      {R"({"to":"\x"})", "escape"},
      {R"({"data":{"n":1e999}})", "number"},
      {"{\"to\":\"\n\"}", "control character"},
      {std::string(33, '[') + std::string(33, ']'), "deeper than 32"},
  };
  for (const auto& [json, reason] : cases) {
    Faults faults;
    EXPECT_FALSE(parse(json, faults)) << json;
    EXPECT_EQ(faults.kind().status, 400) << json;
    EXPECT_THAT(faults.summary(), HasSubstr(reason)) << json;
  }
}

TEST(ParseMessage, FaultsDecideTheStatus) {
  const auto status = [](std::string_view json) {
    Faults faults;
    parse(json, faults);
    return faults.kind();
  };
  EXPECT_EQ(status("7").status, 422);
  EXPECT_EQ(status(R"({"to":{"user":"u"},"data":{"x":")" + std::string(5000, 'x') + "\"}}").status, 413);
  EXPECT_EQ(status(R"({"to":{"condition":"x"},"data":{}})").name, "unsupported");
  EXPECT_EQ(status(R"({"to":{"condition":"x"},"dta":{}})").name, "invalid");
}

TEST(ParseMessage, TheSizeLimitCountsWhatIsSentNotWhiteSpace) {
  const std::string wide = R"({"to":{"user":"u"},"data":{"x":)" + std::string(10'000, ' ') + R"("y"}})";
  EXPECT_EQ(good(wide).message.content, R"({"data":{"x":"y"}})");
  const std::string frame = R"({"data":{"x":""}})";
  const std::string exact = R"({"to":{"user":"u"},"data":{"x":")" + std::string(4096 - frame.size(), 'y') + "\"}}";
  EXPECT_EQ(good(exact).message.content.size(), 4096u);
}

TEST(ParseMessage, ContentIsTheCallersBytes) {
  // Numbers, escapes and repeated names in `data` pass through; a key may be spelt with escapes.
  EXPECT_EQ(good(R"({"to":{"user":"u"},"d\u0061ta":{"a":1.0,"a":1E2,"s":"\u00e9\/ \" }{","t":[ ]}})").message.content,
            R"({"data":{"a":1.0,"a":1E2,"s":"\u00e9\/ \" }{","t":[]}})");
}

TEST(ParseMessage, AScheduledTimeThatHasJustPassedIsKept) {
  EXPECT_EQ(good(R"({"to":{"user":"u"},"data":{},"options":{"deliver_at":"2026-09-21T22:13:00+08:00"}})")
                .message.deliver_at_ms,
            kNow - 20'000);
}

TEST(ParseMessage, TwoDifferentIdempotencyKeysAreAFault) {
  constexpr const char* body = R"({"to":{"user":"u"},"data":{},"idempotency_key":"a"})";
  EXPECT_THAT(fault_places(body, "b"), ElementsAre("exclusive /idempotency_key"));
  EXPECT_EQ(good(body, "a").idempotency_key, "a");
  EXPECT_EQ(good(R"({"to":{"user":"u"},"data":{}})", "key 1").idempotency_key, "key 1");
  EXPECT_THAT(fault_places(R"({"to":{"user":"u"},"data":{}})", std::string(300, 'k')),
              ElementsAre("format header:Idempotency-Key"));
}

TEST(ParseMessage, ManyFaultsAreBounded) {
  std::string json = R"({"to":{"user":"u"},"data":{})";
  for (int i = 0; i < 20'000; ++i) json += ",\"x" + std::to_string(i) + "\":1";
  EXPECT_EQ(fault_places(json + "}").size(), Faults::kMost);
}

}  // namespace
}  // namespace godwit
