// The channel as a host sees it: what becomes of messages, tokens and the channel itself for every answer of Apple's
// table. The host's HTTP client is a script here; tests/interop has it against servers that we did not write.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include <godwit/text.hpp>

#include "sdk/testhost/instance.hpp"

namespace {

using godwit::testhost::HttpAnswer;
using godwit::testhost::Instance;
using godwit::testhost::ParcelSpec;
using godwit::testhost::SentRequest;

constexpr uint64_t kMinute = 60'000'000'000;
const std::string kToken(64, 'a');
constexpr const char* kConfig =
    R"({"topic":"org.example.chat","team_id":"TEAMID0001","key_id":"FAKEKEY001","key":"apns-key"})";

std::string test_key() {
  std::ostringstream text;
  text << std::ifstream(TEST_KEY_FILE).rdbuf();
  return text.str();
}

HttpAnswer says(uint32_t status, const std::string& reason, const std::string& more = "") {
  HttpAnswer a;
  a.http_status = status;
  a.body = R"({"reason":")" + reason + "\"" + more + "}";
  return a;
}
HttpAnswer ok() {
  HttpAnswer a;
  a.body = "";
  a.headers = {{"apns-id", "0b6f6c1e-8f0a-4c43-9a56-2f6f0f4c9d11"}};
  return a;
}

struct Apns : Instance {
  explicit Apns(const char* config = kConfig) : Instance(gw_entry_0.types[0]) {
    host().secrets().set("apns-key", test_key());
    host().http().script([](const SentRequest&) { return ok(); });
    EXPECT_EQ(create(config), GW_OK) << diag().text();
    EXPECT_EQ(start(), GW_OK);
    EXPECT_TRUE(wait_ready());
  }
  // How one message to one device ends when Apple says this.
  godwit::testhost::Settled push(HttpAnswer answer) {
    host().http().script([answer](const SentRequest&) { return answer; });
    return push();
  }
  godwit::testhost::Settled push(const std::string& address = kToken) {
    EXPECT_EQ(submit({{.message_id = "m" + std::to_string(++number), .addresses = {address}}}), GW_OK);
    EXPECT_TRUE(wait_settled());
    return host().settled(last_ticket()).at(0);
  }
  std::string header(size_t request, const std::string& name) {
    const SentRequest sent = host().http().requests().at(request);
    for (const auto& [n, value] : sent.headers)
      if (n == name) return value;
    return "absent";
  }
  int number = 0;
};

struct Row {
  uint32_t status;
  const char* reason;
  uint32_t disposition;
  uint32_t state;  // of the channel afterwards
};
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.reason;
}
class EveryReason : public ::testing::TestWithParam<Row> {};

TEST_P(EveryReason, EndsTheMessageAndLeavesTheChannelAsTabled) {
  const Row row = GetParam();
  Apns channel;
  const auto end = channel.push(says(row.status, row.reason));
  EXPECT_EQ(end.disposition, row.disposition) << row.reason;
  EXPECT_EQ(end.vendor_code, row.reason);
  EXPECT_EQ(end.http_status, row.status);
  EXPECT_EQ(channel.host().state(), row.state);
  if (row.state == GW_STATE_FAILED) {
    EXPECT_NE(channel.host().state_reason().find(row.reason), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Apns, EveryReason,
    ::testing::Values(
        Row{400, "BadDeviceToken", GW_TARGET_INVALID, GW_STATE_READY},
        Row{400, "DeviceTokenNotForTopic", GW_TARGET_INVALID, GW_STATE_READY},
        Row{400, "MissingDeviceToken", GW_TARGET_INVALID, GW_STATE_READY},
        Row{400, "BadCollapseId", GW_REJECTED, GW_STATE_READY},
        Row{400, "BadExpirationDate", GW_REJECTED, GW_STATE_READY},
        Row{400, "BadMessageId", GW_REJECTED, GW_STATE_READY}, Row{400, "BadPriority", GW_REJECTED, GW_STATE_READY},
        Row{400, "InvalidPushType", GW_REJECTED, GW_STATE_READY},
        Row{400, "DuplicateHeaders", GW_REJECTED, GW_STATE_READY},
        Row{400, "PayloadEmpty", GW_REJECTED, GW_STATE_READY}, Row{400, "BadTopic", GW_CONFIG, GW_STATE_FAILED},
        Row{400, "MissingTopic", GW_CONFIG, GW_STATE_FAILED}, Row{400, "TopicDisallowed", GW_CONFIG, GW_STATE_FAILED},
        Row{400, "IdleTimeout", GW_RETRY, GW_STATE_READY}, Row{403, "BadCertificate", GW_CONFIG, GW_STATE_FAILED},
        Row{403, "BadCertificateEnvironment", GW_CONFIG, GW_STATE_FAILED},
        Row{403, "ExpiredProviderToken", GW_CONFIG, GW_STATE_FAILED},
        Row{403, "InvalidProviderToken", GW_CONFIG, GW_STATE_FAILED},
        Row{403, "MissingProviderToken", GW_CONFIG, GW_STATE_FAILED},
        Row{403, "UnrelatedKeyIdInToken", GW_RETRY, GW_STATE_READY},
        Row{403, "BadEnvironmentKeyIdInToken", GW_CONFIG, GW_STATE_FAILED},
        Row{403, "BadEnvironmentKeyInToken", GW_CONFIG, GW_STATE_FAILED},
        Row{403, "Forbidden", GW_REJECTED, GW_STATE_READY}, Row{404, "BadPath", GW_REJECTED, GW_STATE_READY},
        Row{405, "MethodNotAllowed", GW_REJECTED, GW_STATE_READY},
        Row{410, "Unregistered", GW_TARGET_INVALID, GW_STATE_READY},
        Row{410, "ExpiredToken", GW_TARGET_INVALID, GW_STATE_READY},
        Row{413, "PayloadTooLarge", GW_REJECTED, GW_STATE_READY}, Row{429, "TooManyRequests", GW_RETRY, GW_STATE_READY},
        Row{429, "TooManyProviderTokenUpdates", GW_RETRY, GW_STATE_READY},
        Row{500, "InternalServerError", GW_RETRY, GW_STATE_READY},
        Row{503, "ServiceUnavailable", GW_RETRY, GW_STATE_READY}, Row{503, "Shutdown", GW_RETRY, GW_STATE_READY},
        Row{400, "SomethingNew", GW_REJECTED, GW_STATE_READY}, Row{502, "SomethingNew", GW_RETRY, GW_STATE_READY},
        Row{400, "BadChannelId", GW_TARGET_INVALID, GW_STATE_READY},
        Row{404, "ChannelNotRegistered", GW_TARGET_INVALID, GW_STATE_READY},
        Row{400, "FeatureNotEnabled", GW_CONFIG, GW_STATE_FAILED},
        Row{403, "TopicMismatch", GW_CONFIG, GW_STATE_FAILED},
        Row{400, "CannotCreateChannelConfig", GW_REJECTED, GW_STATE_READY},
        Row{400, "MissingChannelId", GW_REJECTED, GW_STATE_READY},
        Row{400, "BadRequestParams", GW_REJECTED, GW_STATE_READY},
        Row{400, "BadRequestPayload", GW_REJECTED, GW_STATE_READY},
        Row{400, "MissingPushType", GW_REJECTED, GW_STATE_READY},
        Row{400, "MissingChannelQueueSize", GW_REJECTED, GW_STATE_READY}));

TEST(Apns, AnAcceptedPushBringsApplesIdAndNothingElse) {
  Apns channel;
  const auto end = channel.push(ok());
  EXPECT_EQ(end.disposition, GW_ACCEPTED);
  EXPECT_EQ(end.vendor_id, "0b6f6c1e-8f0a-4c43-9a56-2f6f0f4c9d11");
  EXPECT_EQ(channel.host().http().requests().at(0).origin, "https://api.push.apple.com:443");
  EXPECT_TRUE(channel.header(0, "authorization").starts_with("bearer "));
}

TEST(Apns, TheThreeWayTruthBecomesRetryOrUnknown) {
  Apns channel;
  EXPECT_EQ(channel.push(HttpAnswer::failed(GW_HTTP_NOT_SENT, GW_E_TIMEOUT, "no free stream")).disposition, GW_RETRY);
  EXPECT_EQ(channel.push(HttpAnswer::failed(GW_HTTP_MAYBE_SENT, GW_E_IO, "reset")).disposition, GW_UNKNOWN);
  EXPECT_EQ(channel.push(HttpAnswer::silent()).disposition, GW_UNKNOWN);
}

// 4,000 messages that wait for one connection all hear of its end: were each a failed try, most would wait a minute.
TEST(Apns, WaitsForAConnectionForAMomentBeforeItCallsThatAFailure) {
  const HttpAnswer refused = HttpAnswer::failed(GW_HTTP_NOT_SENT, GW_E_IO, "cannot connect");
  Apns channel;
  EXPECT_EQ(channel.push(refused).disposition, GW_THROTTLED);
  channel.host().run_for(kMinute / 30);
  const auto soon = channel.push(refused);
  EXPECT_EQ(soon.disposition, GW_THROTTLED);
  EXPECT_EQ(soon.retry_after_ms, 500u);
  EXPECT_EQ(soon.detail, "cannot connect");
  channel.host().run_for(kMinute / 30);
  EXPECT_EQ(channel.push(refused).disposition, GW_RETRY) << "four seconds: the next channel may be better";
  EXPECT_EQ(channel.push(ok()).disposition, GW_ACCEPTED);
  EXPECT_EQ(channel.push(refused).disposition, GW_THROTTLED) << "another blip";
}

TEST(Apns, SendsAgainOnceOnANewConnectionWhatTheOldOneSpoilt) {
  for (const char* reason : {"UnrelatedKeyIdInToken", "Shutdown", "IdleTimeout"}) {
    Apns channel;
    int calls = 0;
    channel.host().http().script(
        [&](const SentRequest&) { return ++calls == 1 ? says(reason[0] == 'U' ? 403 : 503, reason) : ok(); });
    EXPECT_EQ(channel.push().disposition, GW_ACCEPTED) << reason;
    EXPECT_EQ(calls, 2);
  }
}

TEST(Apns, OneTokenServesEveryPushAndIsRenewedOnceForAThousand) {
  Apns channel;
  channel.push();
  channel.host().run_for(49 * kMinute);
  channel.push();
  EXPECT_EQ(channel.header(0, "authorization"), channel.header(1, "authorization"));
  channel.host().run_for(2 * kMinute);
  channel.push();
  EXPECT_NE(channel.header(2, "authorization"), channel.header(1, "authorization"));

  // The machine's clock is put right by three hours; Apple calls the token expired on every push in flight.
  const std::string old = channel.header(2, "authorization");
  channel.host().jump_wall_ms(3 * 3'600'000);
  std::set<std::string> tokens;
  channel.host().http().script([&](const SentRequest& r) {
    for (const auto& [name, value] : r.headers)
      if (name == "authorization") {
        tokens.insert(value);
        return value == old ? says(403, "ExpiredProviderToken") : ok();
      }
    return says(403, "MissingProviderToken");
  });
  for (int i = 0; i < 4; ++i)
    ASSERT_EQ(channel.submit(std::vector<ParcelSpec>(250, ParcelSpec{.addresses = {kToken}})), GW_OK);
  ASSERT_TRUE(channel.wait_settled());
  size_t accepted = 0;
  for (const auto& end : channel.host().settled()) accepted += end.disposition == GW_ACCEPTED;
  EXPECT_EQ(accepted, 1003u);
  EXPECT_EQ(tokens.size(), 2u) << "the old one and one new one";
}

// The n-th of many tokens.
std::string token(int n) {
  std::string text = std::to_string(n);
  return std::string(64 - text.size(), '0') + text;
}

TEST(Apns, ManyWrongTokensInARowAreTheOperatorsFaultAndNotTheTokens) {
  Apns channel;
  channel.host().http().script([](const SentRequest&) { return says(400, "BadDeviceToken"); });
  size_t dropped = 0, config = 0;
  for (int i = 0; i < 25 && channel.host().state() == GW_STATE_READY; ++i) {
    const uint32_t d = channel.push(token(i)).disposition;
    dropped += d == GW_TARGET_INVALID;
    config += d == GW_CONFIG;
  }
  EXPECT_EQ(dropped, 20u);
  EXPECT_EQ(config, 1u);
  EXPECT_EQ(channel.host().state(), GW_STATE_FAILED);
  EXPECT_NE(channel.host().state_reason().find("environment"), std::string::npos);
}

// One device with a bad token, or somebody who registers many of them, could else stop the channel for everybody.
TEST(Apns, WrongTokensStopNothingWhereOneDeviceWasReachedOrOnlyOneIsWrong) {
  for (const bool reached : {true, false}) {
    Apns channel;
    if (reached) channel.push(ok());
    channel.host().http().script([](const SentRequest&) { return says(400, "BadDeviceToken"); });
    for (int i = 0; i < 50; ++i) ASSERT_EQ(channel.push(token(reached ? i : 7)).disposition, GW_TARGET_INVALID) << i;
    EXPECT_EQ(channel.host().state(), GW_STATE_READY);
  }
}

TEST(Apns, RefusesWhatTheHostWillNeverSend) {
  Apns channel;
  const auto end = channel.push(HttpAnswer::failed(GW_HTTP_NOT_SENT, GW_E_INVALID, "a header holds a line break"));
  EXPECT_EQ(end.disposition, GW_REJECTED) << "again and again would hold the channel for the others";
  EXPECT_EQ(end.detail, "a header holds a line break");
}

TEST(Apns, WaitsAsLongAsAppleAsks) {
  Apns channel;
  HttpAnswer busy = says(503, "ServiceUnavailable");
  busy.headers = {{"retry-after", "7"}};
  auto end = channel.push(busy);
  EXPECT_EQ(end.disposition, GW_THROTTLED) << "the whole channel";
  EXPECT_EQ(end.retry_after_ms, 7000u);
  busy.headers = {{"retry-after", "soon"}};
  EXPECT_EQ(channel.push(busy).disposition, GW_RETRY) << "no number, no wish";

  HttpAnswer often = says(429, "TooManyRequests");
  end = channel.push(often);
  EXPECT_EQ(end.disposition, GW_RETRY) << "this device only";
  EXPECT_EQ(end.retry_after_ms, 60'000u);
  often.headers = {{"retry-after", "90"}};
  EXPECT_EQ(channel.push(often).retry_after_ms, 90'000u);
}

TEST(Apns, ANewKeyHealsAFailedChannel) {
  Apns channel;
  channel.push(says(403, "InvalidProviderToken"));
  ASSERT_EQ(channel.host().state(), GW_STATE_FAILED);
  channel.host().secrets().set("apns-key", test_key() + "\n");
  channel.host().run_for(kMinute);
  EXPECT_EQ(channel.host().state(), GW_STATE_READY);
  EXPECT_EQ(channel.push(ok()).disposition, GW_ACCEPTED);
}

TEST(Apns, AKeyThatIsNoneFailsTheChannelWithAReason) {
  Instance channel(gw_entry_0.types[0]);
  channel.host().secrets().set("apns-key", "not a key");
  ASSERT_EQ(channel.create(kConfig), GW_OK);
  ASSERT_EQ(channel.start(), GW_OK);
  channel.host().run_for(kMinute);
  EXPECT_EQ(channel.host().state(), GW_STATE_FAILED);
  EXPECT_NE(channel.host().state_reason().find("PEM"), std::string::npos);
}

TEST(Apns, SendsATokenToTheEnvironmentThatItNames) {
  Apns channel;
  channel.push("sandbox:" + kToken);
  channel.push(kToken);
  const auto requests = channel.host().http().requests();
  EXPECT_EQ(requests.at(0).origin, "https://api.sandbox.push.apple.com:443");
  EXPECT_EQ(requests.at(0).path, "/3/device/" + kToken);
  EXPECT_EQ(requests.at(1).origin, "https://api.push.apple.com:443");
}

TEST(Apns, DropsATokenThatIsNoneWithoutAskingApple) {
  Apns channel;
  EXPECT_EQ(channel.push("not hexadecimal").disposition, GW_TARGET_INVALID);
  EXPECT_TRUE(channel.host().http().requests().empty());
}

TEST(Apns, AMessagesOwnTopicFailsTheMessageAndNotTheChannel) {
  Apns channel;
  channel.host().http().script([](const SentRequest&) { return says(400, "TopicDisallowed"); });
  ASSERT_EQ(channel.submit({{.addresses = {kToken}, .vendor_options = R"({"headers":{"apns-topic":"org.other"}})"}}),
            GW_OK);
  ASSERT_TRUE(channel.wait_settled());
  EXPECT_EQ(channel.host().settled(1).at(0).disposition, GW_REJECTED);
  EXPECT_EQ(channel.host().state(), GW_STATE_READY);
}

TEST(Apns, SendsNoSecretOverPlainHttpButToThisMachine) {
  const auto create = [](const std::string& origin) {
    Instance channel(gw_entry_0.types[0]);
    return channel.create(R"({"topic":"a.b","team_id":"TEAMID0001","key_id":"FAKEKEY001","key":"k","origin":")" +
                          origin + "\"}");
  };
  for (const char* origin :
       {"http://api.push.apple.com", "http://localhost.example.org", "http://127.0.0.1.example.org:80"})
    EXPECT_NE(create(origin), GW_OK) << origin;
  for (const char* origin :
       {"http://127.0.0.1:8080", "http://localhost:80", "http://[::1]:80", "https://proxy.example:2197"})
    EXPECT_EQ(create(origin), GW_OK) << origin;
}

TEST(Apns, AsksForOneWayToProveWhoItIs) {
  for (const auto& [config, what] : {std::pair{R"({"topic":"a.b"})", "/key"},
                                     std::pair{R"({"topic":"a.b","key":"k","key_id":"FAKEKEY001"})", "/team_id"},
                                     std::pair{R"({"topic":"a.b","key":"k","certificate_file":"c"})", "/key"}}) {
    Instance channel(gw_entry_0.types[0]);
    EXPECT_NE(channel.create(config), GW_OK);
    EXPECT_EQ(channel.diag().lines().at(0).where, what);
  }
}

}  // namespace
