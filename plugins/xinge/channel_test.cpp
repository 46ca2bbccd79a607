// The channel as a host sees it: signatures on the wire, lists, the dead of a list, dialects, figures.
#include <gtest/gtest.h>

#include <godwit/abi.h>
#include <godwit/json.hpp>

#include "sdk/testhost/instance.hpp"
#include "sign.hpp"

namespace xinge {
namespace {

using godwit::Json;
using godwit::testhost::HttpAnswer;
using godwit::testhost::Instance;
using godwit::testhost::SentRequest;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr const char* kSecret = "00112233445566778899aabbccddeeff";

HttpAnswer answer(Json body) {
  return {.body = body.dump()};
}
std::string header(const SentRequest& r, const std::string& name) {
  for (const auto& [n, value] : r.headers)
    if (n == name) return value;
  return {};
}

struct Tencent : Instance {
  explicit Tencent(const char* settings = "{}") : Instance(gw_entry_0.types[0]) {
    Json config = {{"access_id", "1500001234"}, {"secret_key", "x"}};
    config.update(Json::parse(settings));
    host().secrets().set("x", kSecret);
    EXPECT_EQ(create(config.dump()), GW_OK) << diag().text();
    EXPECT_EQ(start(), GW_OK);
    EXPECT_TRUE(wait_ready());
  }
  ~Tencent() { EXPECT_TRUE(host().misbehaviours().empty()) << host().misbehaviours().front(); }
  std::vector<uint32_t> send(std::vector<std::string> addresses) {
    EXPECT_EQ(submit({{.addresses = std::move(addresses)}}), GW_OK);
    wait_settled();
    std::vector<uint32_t> out(host().settled(last_ticket()).size());
    for (const auto& s : host().settled(last_ticket())) out.at(s.target_index) = s.disposition;
    return out;
  }
};

TEST(Xinge, TheBodyIsSignedAsItIsSent) {
  Tencent channel;
  channel.host().http().script([](const SentRequest&) { return answer({{"ret_code", 0}, {"push_id", "9"}}); });
  EXPECT_EQ(channel.send({"t1"}), std::vector<uint32_t>{GW_ACCEPTED});
  const SentRequest r = channel.host().http().requests().at(0);
  EXPECT_EQ(r.origin, "https://api.tpns.tencent.com");
  EXPECT_EQ(r.path, "/v3/push/app");
  EXPECT_EQ(header(r, "timestamp"), std::to_string(channel.host().wall_ms() / 1000));
  EXPECT_EQ(header(r, "sign"), tpns_sign(kSecret, header(r, "timestamp"), "1500001234", r.body));
  EXPECT_EQ(channel.host().settled(1)[0].vendor_id, "9");
}

TEST(Xinge, TheDeadOfAListAreDroppedAndTheOthersSent) {
  Tencent channel;
  channel.host().http().script([](const SentRequest&) {
    return answer({{"ret_code", 0}, {"push_id", "9"}, {"invalid_targe_list", {"b"}}, {"result", ""}});
  });
  EXPECT_EQ(channel.send({"a", "b", "c"}), (std::vector<uint32_t>{GW_ACCEPTED, GW_TARGET_INVALID, GW_ACCEPTED}));
  EXPECT_EQ(channel.host().http().requests().size(), 1u);
}

TEST(Xinge, ARefusedListIsTakenApart) {
  Tencent channel(R"({"api":"v3"})");
  channel.host().http().script([](const SentRequest& r) {
    const Json list = Json::parse(r.body)["token_list"];
    const bool has_dead = std::find(list.begin(), list.end(), "dead") != list.end();
    return answer({{"ret_code", !has_dead ? 0 : list.size() > 1 ? 10304 : 10110}, {"push_id", "9"}});
  });
  EXPECT_EQ(channel.send({"a", "b", "dead", "c", "d"}),
            (std::vector<uint32_t>{GW_ACCEPTED, GW_ACCEPTED, GW_TARGET_INVALID, GW_ACCEPTED, GW_ACCEPTED}));
  EXPECT_TRUE(header(channel.host().http().requests()[0], "authorization").starts_with("Basic "));
}

TEST(Xinge, AnAnswerTargetByTargetIsReadSo) {
  Tencent channel;
  channel.host().http().script([](const SentRequest&) {
    return answer({{"ret_code", 1008026}, {"push_id", "9"}, {"result", {"0", "1008006"}}});
  });
  EXPECT_EQ(channel.send({"a", "b"}), (std::vector<uint32_t>{GW_ACCEPTED, GW_TARGET_INVALID}));
}

TEST(Xinge, V2SignsFormsAndStoresLists) {
  Tencent channel(R"({"api":"v2"})");
  channel.host().http().script([](const SentRequest& r) {
    return answer(
        {{"ret_code", 0}, {"result", r.path.ends_with("create_multipush") ? Json{{"push_id", "77"}} : Json("")}});
  });
  EXPECT_EQ(channel.send({"a", "b"}), (std::vector<uint32_t>{GW_ACCEPTED, GW_ACCEPTED}));
  const auto requests = channel.host().http().requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].path, "/v2/push/create_multipush");
  EXPECT_EQ(requests[1].path, "/v2/push/device_list_multiple");
  EXPECT_NE(requests[1].body.find("push_id=77"), std::string::npos);
  EXPECT_NE(requests[1].body.find("sign="), std::string::npos);
}

TEST(Xinge, ARefusedAccountStopsTheChannelUntilTheSecretChanges) {
  Tencent channel;
  channel.host().http().script([](const SentRequest&) {
    return answer({{"ret_code", 1008003}, {"err_msg", "auth failure"}});
  });
  EXPECT_EQ(channel.send({"a"}), std::vector<uint32_t>{GW_CONFIG});
  EXPECT_EQ(channel.host().state(), uint32_t{GW_STATE_FAILED});
  channel.host().secrets().set("x", "another");
  EXPECT_TRUE(channel.wait_ready());
}

// There is no callback: what arrived is asked for, and told as what is new since the last time.
TEST(Xinge, FiguresOfAPushAreAskedForAndToldOnce) {
  Tencent channel(R"({"statistics_after_s":[10,20]})");
  int asked = 0;
  channel.host().http().script([&](const SentRequest& r) {
    if (r.path == "/v3/push/app") return answer({{"ret_code", 0}, {"push_id", "9"}});
    ++asked;
    EXPECT_EQ(r.path, "/v3/statistics/get_push_task_stat_channel");
    EXPECT_EQ(Json::parse(r.body)["pushId"], "9");
    return answer({{"retCode", 0},
                   {"result", {{"xm", {{"pushOnlineUv", 10}, {"arrivalUv", asked == 1 ? 4 : 9}, {"clickUv", 0}}}}}});
  });
  channel.send({"a", "b"});
  channel.host().run_for(100 * kSecond);
  EXPECT_EQ(asked, 2);
  const auto events = channel.host().events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, GW_EVENT_RECEIPT);
  EXPECT_EQ(events[0].vendor_id, "9");
  EXPECT_EQ(Json::parse(events[0].payload),
            Json({{"of", 10}, {"delivered", 4}, {"opened", 0}, {"manufacturer", "xiaomi"}}));
  EXPECT_EQ(Json::parse(events[1].payload),
            Json({{"of", 0}, {"delivered", 5}, {"opened", 0}, {"manufacturer", "xiaomi"}}));
}

TEST(Xinge, QuestionsAboutFiguresKeepToTheVendorsLimit) {
  Tencent channel(R"({"statistics_after_s":[10],"statistics_per_hour":60})");
  int asked = 0, pushes = 0;
  channel.host().http().script([&](const SentRequest& r) {
    if (r.path == "/v3/push/app") return answer({{"ret_code", 0}, {"push_id", std::to_string(++pushes)}});
    ++asked;
    return answer({{"retCode", 0}});
  });
  for (int i = 0; i < 20; ++i) channel.send({"a"});
  channel.host().run_for(600 * kSecond);
  EXPECT_GE(asked, 9);
  EXPECT_LE(asked, 11);
}

}  // namespace
}  // namespace xinge
