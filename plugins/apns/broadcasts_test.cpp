// Orders about broadcast channels: what goes to Apple, and what its answers become (apns.md §9).
#include "broadcasts.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "sdk/testhost/instance.hpp"

namespace {

using godwit::testhost::HttpAnswer;
using godwit::testhost::Instance;
using godwit::testhost::SentRequest;
using godwit::testhost::Settled;

constexpr const char* kId = "dHN0LXNyY2gtY2hubA==";

struct Channel : Instance {
  Channel() : Instance(gw_entry_0.types[0]) {
    std::ostringstream key;
    key << std::ifstream(TEST_KEY_FILE).rdbuf();
    host().secrets().set("apns-key", key.str());
    EXPECT_EQ(create(R"({"topic":"org.example.chat","team_id":"TEAMID0001","key_id":"FAKEKEY001","key":"apns-key"})"),
              GW_OK);
    EXPECT_EQ(start(), GW_OK);
    EXPECT_TRUE(wait_ready());
  }
  Settled order(const std::string& order, HttpAnswer answer, const std::string& to = std::string("broadcast:") + kId) {
    host().http().script([answer](const SentRequest&) { return answer; });
    EXPECT_EQ(submit({{.message_id = "m" + std::to_string(++number),
                       .addresses = {to},
                       .content = "{}",
                       .vendor_options = R"({"broadcast_channel":)" + order + "}"}}),
              GW_OK);
    EXPECT_TRUE(wait_settled());
    return host().settled(last_ticket()).at(0);
  }
  SentRequest last() { return host().http().requests().back(); }
  std::string header(const std::string& name) {
    for (const auto& [n, value] : last().headers)
      if (n == name) return value;
    return "absent";
  }
  int number = 0;
};

HttpAnswer answer(uint32_t status, const std::string& body = "", const std::string& id = "") {
  HttpAnswer a;
  a.http_status = status;
  a.body = body;
  if (!id.empty()) a.headers = {{"apns-channel-id", id}};
  return a;
}

TEST(Broadcasts, MakesAChannelAndTellsItsId) {
  Channel channel;
  const Settled end =
      channel.order(R"({"action":"create","message-storage-policy":1})", answer(201, "", kId), "broadcast:new");
  EXPECT_EQ(end.disposition, GW_ACCEPTED);
  EXPECT_EQ(end.vendor_id, kId);
  const SentRequest sent = channel.last();
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.path, "/1/apps/org.example.chat/channels");
  EXPECT_EQ(godwit::Json::parse(sent.body),
            godwit::Json::parse(R"({"message-storage-policy":1,"push-type":"LiveActivity"})"));
  EXPECT_EQ(channel.header("authorization").substr(0, 7), "bearer ");
  EXPECT_EQ(channel.header("apns-request-id").size(), 36u);
  EXPECT_EQ(channel.header("apns-channel-id"), "absent");
}

TEST(Broadcasts, ReadsAndDeletesByTheHeader) {
  Channel channel;
  const Settled read =
      channel.order(R"({"action":"read"})", answer(200, R"({"message-storage-policy":1,"push-type":"LiveActivity"})"));
  EXPECT_EQ(read.disposition, GW_ACCEPTED);
  EXPECT_EQ(read.detail, "message-storage-policy 1");
  EXPECT_EQ(channel.last().method, "GET");
  EXPECT_EQ(channel.last().path, "/1/apps/org.example.chat/channels") << "the ID is a header, not a part of the path";
  EXPECT_EQ(channel.header("apns-channel-id"), kId);
  const Settled gone = channel.order(R"({"action":"delete"})", answer(204));
  EXPECT_EQ(gone.disposition, GW_ACCEPTED);
  EXPECT_EQ(channel.last().method, "DELETE");
  EXPECT_EQ(channel.last().body, "");
}

TEST(Broadcasts, ListsAsManyAsFitAndGoesOnBehindTheLast) {
  Channel channel;
  std::string ids;
  for (int i = 10; i < 30; ++i)
    ids += (ids.empty() ? "\"" : ",\"") + std::string("channel-number-") + std::to_string(i) + '"';
  const std::string body = R"({"channels":[)" + ids + "]}";
  const Settled first = channel.order(R"({"action":"list"})", answer(200, body), "broadcast:new");
  EXPECT_EQ(channel.last().path, "/1/apps/org.example.chat/all-channels");
  EXPECT_EQ(first.detail.substr(0, 42), "20 channels: channel-number-10 channel-num");
  EXPECT_EQ(first.detail.substr(first.detail.size() - 4), " ...");
  EXPECT_LE(first.detail.size(), 256u);
  const Settled rest =
      channel.order(R"({"action":"list","after":"channel-number-28"})", answer(200, body), "broadcast:new");
  EXPECT_EQ(rest.detail, "20 channels: channel-number-29");
  EXPECT_EQ(channel.order(R"({"action":"list"})", answer(200, R"({"channels":[]})"), "broadcast:new").detail,
            "0 channels:");
}

TEST(Broadcasts, NeverMakesAChannelTwice) {
  Channel channel;
  HttpAnswer lost;
  lost.delivery = GW_HTTP_MAYBE_SENT;
  lost.status = GW_E_IO;
  const char* create = R"({"action":"create","message-storage-policy":0})";
  const Settled end = channel.order(create, lost, "broadcast:new");
  EXPECT_EQ(end.disposition, GW_REJECTED) << "unknown would be repeated";
  EXPECT_EQ(end.vendor_code, "outcome_unknown");
  EXPECT_EQ(channel.order(R"({"action":"delete"})", lost).disposition, GW_UNKNOWN) << "twice deleted is deleted";
}

TEST(Broadcasts, ReadsApplesReasons) {
  Channel channel;
  const auto end = [&](uint32_t status, const std::string& reason) {
    return channel.order(R"({"action":"read"})", answer(status, R"({"reason":")" + reason + "\"}"));
  };
  EXPECT_EQ(end(400, "BadChannelId").disposition, GW_REJECTED);
  EXPECT_EQ(end(404, "ChannelNotRegistered").disposition, GW_REJECTED);
  EXPECT_EQ(end(400, "CannotCreateChannelConfig").disposition, GW_REJECTED);
  EXPECT_EQ(end(400, "FeatureNotEnabled").disposition, GW_CONFIG);
  EXPECT_EQ(end(403, "TopicMismatch").disposition, GW_CONFIG);
  EXPECT_EQ(end(429, "TooManyRequests").disposition, GW_RETRY);
  EXPECT_EQ(end(503, "ServiceUnavailable").disposition, GW_RETRY);
  EXPECT_EQ(channel.host().state(), GW_STATE_READY) << "pushes go on";
}

TEST(Broadcasts, RefusesOrdersThatCannotBeMeant) {
  Channel channel;
  for (const char* order : {"1", "{}", R"({"action":"destroy"})", R"({"action":"create"})",
                            R"({"action":"create","message-storage-policy":2})"}) {
    const Settled end = channel.order(order, answer(200));
    EXPECT_EQ(end.disposition, GW_REJECTED) << order;
    EXPECT_EQ(end.vendor_code, "BadOverride");
  }
  EXPECT_EQ(channel.order(R"({"action":"read"})", answer(200), std::string(64, 'a')).disposition, GW_REJECTED)
      << "not to a device";
  EXPECT_TRUE(channel.host().http().requests().empty());
}

}  // namespace
