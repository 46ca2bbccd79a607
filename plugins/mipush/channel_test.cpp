// The channel as a host sees it: lists, settling target by target, pace, quotas, the secret, feedback and recall.
#include <gtest/gtest.h>

#include <godwit/abi.h>
#include <godwit/ext/recall.h>
#include <godwit/json.hpp>

#include "form.hpp"
#include "sdk/testhost/instance.hpp"

namespace mipush {
namespace {

using godwit::Json;
using godwit::testhost::HttpAnswer;
using godwit::testhost::Instance;
using godwit::testhost::SentRequest;

constexpr uint64_t kSecond = 1'000'000'000;

HttpAnswer refusal(int code) {
  return {.body = Json{{"result", "error"}, {"code", code}, {"reason", "no"}}.dump()};
}
HttpAnswer accepted(const std::string& id, Json data = Json::object()) {
  data["id"] = id;
  return {.body = Json{{"result", "ok"}, {"code", 0}, {"data", data}}.dump()};
}
std::vector<std::string> regids(const SentRequest& request) {
  std::vector<std::string> out;
  const std::string list = field_of(request.body, "registration_id").value_or("");
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

struct Mi : Instance {
  explicit Mi(Json settings = Json::object()) : Instance(gw_entry_0.types[0]) {
    Json config = {{"app_secret", "mi-secret"}, {"package_name", "com.example.shop"}};
    config.update(settings);
    host().secrets().set("mi-secret", "FAKE");
    EXPECT_EQ(create(config.dump()), GW_OK) << diag().text();
    EXPECT_EQ(start(), GW_OK);
    EXPECT_TRUE(wait_ready());
  }
  ~Mi() { EXPECT_TRUE(host().misbehaviours().empty()) << host().misbehaviours().front(); }
  std::vector<uint32_t> ends(uint64_t ticket) {
    std::vector<uint32_t> out(host().settled(ticket).size());
    for (const auto& s : host().settled(ticket)) out.at(s.target_index) = s.disposition;
    return out;
  }
};

TEST(MiPush, AThousandTargetsAreOneCallAndEachIsSettled) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  std::vector<std::string> tokens;
  for (int i = 0; i < 1000; ++i) tokens.push_back("regid" + std::to_string(i));
  ASSERT_EQ(mi.submit({{.addresses = tokens}}), GW_OK);
  mi.wait_settled();
  ASSERT_EQ(mi.host().http().requests().size(), 1u);
  const SentRequest sent = mi.host().http().requests()[0];
  EXPECT_EQ(sent.path, "/v3/message/regid");
  EXPECT_EQ(sent.headers[0], (std::pair<std::string, std::string>("authorization", "key=FAKE")));
  EXPECT_EQ(regids(sent), tokens);
  EXPECT_EQ(mi.ends(1), std::vector<uint32_t>(1000, GW_ACCEPTED));
  EXPECT_EQ(mi.host().settled(1)[7].vendor_id, "scm1");
}

TEST(MiPush, AddressesOfDifferentKindsGoToTheirOwnCalls) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit({{.addresses = {"r1", "alias:a1", "r2", "topic:news", "account:u", "topic:more", "alias:a2"}}}),
            GW_OK);
  mi.wait_settled();
  std::vector<std::string> seen;
  for (const SentRequest& r : mi.host().http().requests())
    seen.push_back(r.path + " " + r.body.substr(r.body.rfind('&') + 1));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen,
            (std::vector<std::string>{"/v2/message/user_account user_account=u", "/v3/message/alias alias=a1%2Ca2",
                                      "/v3/message/regid registration_id=r1%2Cr2", "/v3/message/topic topic=more",
                                      "/v3/message/topic topic=news"}));
  EXPECT_EQ(mi.ends(1), std::vector<uint32_t>(7, GW_ACCEPTED));
}

TEST(MiPush, OneIllegalRegidOfAListIsFoundAndTheOthersAreSent) {
  Mi mi;
  mi.host().http().script([](const SentRequest& r) {
    for (const std::string& regid : regids(r))
      if (regid == "bad") return refusal(66007);
    return accepted("scm1");
  });
  ASSERT_EQ(mi.submit({{.addresses = {"a", "b", "c", "bad", "d", "e"}}}), GW_OK);
  mi.wait_settled();
  EXPECT_EQ(mi.ends(1), (std::vector<uint32_t>{GW_ACCEPTED, GW_ACCEPTED, GW_ACCEPTED, GW_TARGET_INVALID, GW_ACCEPTED,
                                               GW_ACCEPTED}));
}

std::vector<std::string> merged_targets(const SentRequest& request) {
  std::vector<std::string> out;
  for (const Json& entry : Json::parse(field_of(request.body, "messages").value_or("[]")))
    out.push_back(entry["target"].get<std::string>());
  return out;
}

TEST(MiPush, MessagesForOneDeviceEachShareACallAndKeepTheirOwnIds) {
  Mi mi(
      Json{{"callback_url", "http://push.example.com/cb"}, {"callback_path", "unguessable-path"}, {"channel_id", "7"}});
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit({{.message_id = "m1", .addresses = {"r1"}},
                       {.message_id = "m2", .addresses = {"r2"}},
                       {.message_id = "m3", .addresses = {"alias:a"}},
                       {.message_id = "m4", .addresses = {"r3"}}}),
            GW_OK);
  mi.wait_settled();
  const auto sent = mi.host().http().requests();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].path, "/v2/multi_messages/regids");
  EXPECT_EQ(sent[1].path, "/v3/message/alias");
  const Json messages = Json::parse(field_of(sent[0].body, "messages").value());
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1]["target"], "r2");
  const Json& second = messages[1]["message"];
  EXPECT_EQ(second["extra"]["callback.param"], "m2");
  EXPECT_EQ(second["extra"]["channel_id"], "7");
  EXPECT_EQ(second["restricted_package_name"], "com.example.shop");
  EXPECT_TRUE(second["notify_id"].is_number_integer());
  EXPECT_NE(second["notify_id"], messages[0]["message"]["notify_id"]);
  for (uint64_t ticket = 1; ticket <= 4; ++ticket) EXPECT_EQ(mi.ends(ticket), std::vector<uint32_t>{GW_ACCEPTED});
}

TEST(MiPush, TwoMessagesForOneDeviceNeverShareACall) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit({{.addresses = {"r1"}}, {.addresses = {"r1"}}, {.addresses = {"r2"}}}), GW_OK);
  mi.wait_settled();
  const auto sent = mi.host().http().requests();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(merged_targets(sent[0]), (std::vector<std::string>{"r1", "r2"}));
  EXPECT_EQ(regids(sent[1]), std::vector<std::string>{"r1"});
}

TEST(MiPush, MessagesOfDifferentClassesDoNotShareACall) {
  Mi mi(Json{{"classes", {{{"channel_id", "1"}}, {{"channel_id", "2"}, {"categories", {"order"}}}}}});
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit({{.addresses = {"r1"}},
                       {.addresses = {"r2"}, .content = R"({"notification":{"title":"T","category":"order"}})"}}),
            GW_OK);
  mi.wait_settled();
  EXPECT_EQ(mi.host().http().requests().size(), 2u);
}

TEST(MiPush, AMergedCallIsNeverHuge) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  std::vector<godwit::testhost::ParcelSpec> messages;
  for (int i = 0; i < 600; ++i)
    messages.push_back(
        {.addresses = {"r" + std::to_string(i)},
         .content = Json{{"notification", {{"title", "T"}}}, {"data", {{"text", std::string(3'000, 'x')}}}}.dump()});
  ASSERT_EQ(mi.submit(messages), GW_OK);
  mi.wait_settled();
  EXPECT_GT(mi.host().http().requests().size(), 1u);
  EXPECT_LT(mi.host().http().requests().size(), 10u);
  for (const SentRequest& r : mi.host().http().requests()) EXPECT_LT(r.body.size(), 2u << 20);
}

TEST(MiPush, AMessageThatIsNearlyOverDoesNotHurryItsNeighbours) {
  Mi mi(Json{{"calls_per_s", 1}});
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit({{.addresses = {"topic:a"}}, {.addresses = {"topic:b"}}, {.addresses = {"r1"}}}), GW_OK);
  ASSERT_EQ(mi.submit({{.addresses = {"r2"}}}, 20 * kSecond), GW_OK);
  mi.host().run_for(15 * kSecond);
  for (const SentRequest& r : mi.host().http().requests()) EXPECT_TRUE(merged_targets(r).empty()) << r.path;
  EXPECT_EQ(mi.host().http().requests().size(), 4u);
}

TEST(MiPush, OneMessageThatBreaksTheRulesDoesNotCostItsNeighbours) {
  for (const int code : {10041, 65009, 66007}) {
    Mi mi;
    mi.host().http().script([&](const SentRequest& r) {
      for (const std::string& target : r.path == "/v3/message/regid" ? regids(r) : merged_targets(r))
        if (target == "r3") return refusal(code);
      return accepted("scm1");
    });
    ASSERT_EQ(mi.submit({{.addresses = {"r1"}},
                         {.addresses = {"r2"}},
                         {.addresses = {"r3"}},
                         {.addresses = {"r4"}},
                         {.addresses = {"r5"}}}),
              GW_OK);
    mi.wait_settled();
    for (uint64_t ticket = 1; ticket <= 5; ++ticket) {
      const uint32_t end = ticket != 3 ? GW_ACCEPTED : code == 66007 ? GW_TARGET_INVALID : GW_REJECTED;
      EXPECT_EQ(mi.ends(ticket), std::vector<uint32_t>{end}) << code << " " << ticket;
    }
  }
}

TEST(MiPush, AQuotaThatEndsWithinAMergedCallLeavesUnknownWhatCannotBeTold) {
  for (const auto& [exceeded, end] : {std::pair("7:1", GW_UNKNOWN), {"7:2", GW_THROTTLED}, {"8:2", GW_ACCEPTED}}) {
    Mi mi(Json{{"channel_id", "7"}});
    mi.host().http().script([told = exceeded](const SentRequest&) {
      return accepted("scm1", {{"channel_exceed_quota", told}});
    });
    ASSERT_EQ(mi.submit({{.addresses = {"r1"}}, {.addresses = {"r2"}}}), GW_OK);
    mi.wait_settled();
    EXPECT_EQ(mi.ends(1), std::vector<uint32_t>{end}) << exceeded;
    EXPECT_EQ(mi.ends(2), std::vector<uint32_t>{end}) << exceeded;
  }
}

TEST(MiPush, ACancelledMessageLeavesTheCallThatWaitsForItsPace) {
  Mi mi(Json{{"calls_per_s", 1}});
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit({{.addresses = {"topic:a"}},
                       {.addresses = {"topic:b"}},
                       {.addresses = {"topic:c"}},
                       {.addresses = {"r1"}},
                       {.addresses = {"r2"}}}),
            GW_OK);
  mi.cancel(4);
  mi.host().run_for(20 * kSecond);
  EXPECT_EQ(mi.ends(4), std::vector<uint32_t>{GW_CANCELLED});
  EXPECT_EQ(mi.ends(5), std::vector<uint32_t>{GW_ACCEPTED});
  EXPECT_EQ(regids(mi.host().http().requests().back()), std::vector<std::string>{"r2"});
}

TEST(MiPush, RefusedRegidsOfAnAcceptedListGoToTheNextChannelAndAreNotDropped) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) { return accepted("scm1", {{"badRegIds", {"b"}}}); });
  ASSERT_EQ(mi.submit({{.addresses = {"a", "b", "c"}}}), GW_OK);
  mi.wait_settled();
  EXPECT_EQ(mi.ends(1), (std::vector<uint32_t>{GW_ACCEPTED, GW_UNREACHABLE, GW_ACCEPTED}));
}

TEST(MiPush, ATokenWithACommaCannotSpoilAList) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit({{.addresses = {"a", "x,y"}}, {.addresses = {"p,q"}}}), GW_OK);
  mi.wait_settled();
  EXPECT_EQ(mi.ends(1), (std::vector<uint32_t>{GW_ACCEPTED, GW_TARGET_INVALID}));
  EXPECT_EQ(mi.ends(2), (std::vector<uint32_t>{GW_TARGET_INVALID}));
}

TEST(MiPush, WhatSurelyDidNotLeaveIsRetriedWhatMayHaveLeftIsUnknown) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) { return HttpAnswer::failed(GW_HTTP_NOT_SENT, GW_E_IO, "refused"); });
  ASSERT_EQ(mi.submit({{}}), GW_OK);
  mi.wait_settled();
  mi.host().http().script([](const SentRequest&) { return HttpAnswer::silent(); });
  ASSERT_EQ(mi.submit({{}}), GW_OK);
  mi.wait_settled();
  EXPECT_EQ(mi.ends(1), std::vector<uint32_t>{GW_RETRY});
  EXPECT_EQ(mi.ends(2), std::vector<uint32_t>{GW_UNKNOWN});
}

TEST(MiPush, CallsKeepBelowTheRate) {
  Mi mi(Json{{"calls_per_s", 10}});
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  const uint64_t began = mi.host().now_ns();
  ASSERT_EQ(mi.submit(std::vector<godwit::testhost::ParcelSpec>(40)), GW_OK);
  mi.wait_settled();
  EXPECT_GE(mi.host().now_ns() - began, 29 * kSecond / 10);
  EXPECT_EQ(mi.host().http().requests().size(), 40u);
}

TEST(MiPush, AMessageThatWaitsForItsTurnCanBeWithdrawn) {
  Mi mi(Json{{"calls_per_s", 1}});
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit(std::vector<godwit::testhost::ParcelSpec>(3)), GW_OK);
  mi.cancel(3);
  mi.wait_settled();
  EXPECT_EQ(mi.ends(2), std::vector<uint32_t>{GW_ACCEPTED});
  EXPECT_EQ(mi.ends(3), std::vector<uint32_t>{GW_CANCELLED});
}

TEST(MiPush, WhatWaitsForItsTurnIsGivenBackAtTheStop) {
  Mi mi(Json{{"calls_per_s", 1}});
  ASSERT_EQ(mi.submit(std::vector<godwit::testhost::ParcelSpec>(3)), GW_OK);
  mi.stop();
  EXPECT_EQ(mi.ends(3), std::vector<uint32_t>{GW_RETRY});
}

TEST(MiPush, AClassThatIsUsedUpIsNotAskedAgainToday) {
  Mi mi(Json::parse(
      R"({"classes":[{"channel_id":"pub"},{"channel_id":"priv","kind":"private","categories":["order"]}]})"));
  mi.host().http().script([](const SentRequest& r) {
    return field_of(r.body, "extra.channel_id") == "pub" ? refusal(200001) : accepted("scm1");
  });
  const auto send = [&](const char* category) {
    EXPECT_EQ(mi.submit({{.content = std::string(R"({"notification":{"title":"x","category":")") + category + "\"}}"}}),
              GW_OK);
    mi.wait_settled();
    return mi.ends(mi.last_ticket()).at(0);
  };
  EXPECT_EQ(send(""), uint32_t{GW_UNREACHABLE});
  EXPECT_EQ(send(""), uint32_t{GW_UNREACHABLE});
  EXPECT_EQ(mi.host().http().requests().size(), 1u);
  EXPECT_EQ(send("order"), uint32_t{GW_ACCEPTED});
  ASSERT_EQ(mi.host().events().size(), 1u);
  EXPECT_EQ(mi.host().events()[0].kind, GW_EVENT_NOTICE);  // QUOTA would stop the other class too
  EXPECT_EQ(Json::parse(mi.host().events()[0].payload)["remaining"], 0);
  mi.host().jump_wall_ms(24 * 3'600'000);
  (void)send("");
  EXPECT_EQ(mi.host().http().requests().size(), 3u);
}

TEST(MiPush, TheQuotaOfAnAnswerIsReported) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) {
    return accepted("s", {{"day_quota", "1000"}, {"day_acked", "400"}});
  });
  ASSERT_EQ(mi.submit({{}, {}}), GW_OK);
  mi.wait_settled();
  ASSERT_EQ(mi.host().events().size(), 1u);
  EXPECT_EQ(mi.host().events()[0].kind, GW_EVENT_QUOTA);
  EXPECT_EQ(Json::parse(mi.host().events()[0].payload)["remaining"], 600);
  EXPECT_EQ(Json::parse(mi.host().events()[0].payload)["limit"], 1000);
}

TEST(MiPush, ARefusedAccountStopsTheChannelUntilTheSecretChanges) {
  Mi mi;
  mi.host().http().script(
      [](const SentRequest& r) { return r.headers[0].second == "key=FAKE" ? refusal(21301) : accepted("scm1"); });
  ASSERT_EQ(mi.submit({{}}), GW_OK);
  mi.wait_settled();
  EXPECT_EQ(mi.ends(1), std::vector<uint32_t>{GW_CONFIG});
  EXPECT_EQ(mi.host().state(), uint32_t{GW_STATE_FAILED});
  EXPECT_NE(mi.host().state_reason().find("21301"), std::string::npos);
  mi.host().secrets().set("mi-secret", "NEW");
  EXPECT_TRUE(mi.wait_ready());
  ASSERT_EQ(mi.submit({{}}), GW_OK);
  mi.wait_settled();
  EXPECT_EQ(mi.ends(2), std::vector<uint32_t>{GW_ACCEPTED});
}

TEST(MiPush, InvalidRegidsAreFetchedPageByPage) {
  int pages = 0;
  Mi mi(Json{{"feedback_poll_s", 60}});
  mi.host().http().script([&](const SentRequest& r) {
    EXPECT_EQ(r.path, "/v1/feedback/fetch_invalid_regids");
    Json list = Json::array();
    for (int i = 0; i < (pages == 0 ? 1000 : 2); ++i)
      list.push_back("dead" + std::to_string(pages) + "-" + std::to_string(i));
    ++pages;
    return HttpAnswer{.body = Json{{"result", "ok"}, {"code", 0}, {"data", {{"list", list}}}}.dump()};
  });
  mi.host().refuse_events(3);
  mi.host().run_for(65 * kSecond);
  EXPECT_GE(pages, 2);
  size_t dead = 0;
  for (const auto& event : mi.host().events()) dead += event.kind == GW_EVENT_TOKEN_INVALID;
  EXPECT_GE(dead, 1002u);
}

TEST(MiPush, ARecallNamesTargetAndNotification) {
  Mi mi;
  mi.host().http().script([](const SentRequest&) { return accepted("scm1"); });
  ASSERT_EQ(mi.submit({{.message_id = "m1", .addresses = {"r1"}, .collapse_key = "k"}}), GW_OK);
  mi.wait_settled();
  const std::string shown = field_of(mi.host().http().requests()[0].body, "notify_id").value();
  const auto* table = static_cast<const gw_recall*>(mi.extension(GW_EXT_RECALL));
  ASSERT_NE(table, nullptr);
  gw_target target{sizeof(gw_target), 0, godwit::str("r1"), {}, godwit::str(R"({"collapse_key":"k"})")};
  gw_recall_request request{sizeof(gw_recall_request), 0, godwit::str("m1"), {}, godwit::str("scm1"), &target};
  int32_t status = 1;
  ASSERT_EQ(table->recall(
                mi.self(), &request, [](void* arg, int32_t s, gw_str) { *static_cast<int32_t*>(arg) = s; }, &status),
            GW_OK);
  mi.host().run_for(kSecond);
  EXPECT_EQ(status, GW_OK);
  const SentRequest sent = mi.host().http().requests().at(1);
  EXPECT_EQ(sent.path, "/v3/message/regid/revoke");
  EXPECT_EQ(field_of(sent.body, "registration_id"), "r1");
  EXPECT_EQ(field_of(sent.body, "notify_id"), shown);
}

}  // namespace
}  // namespace mipush
