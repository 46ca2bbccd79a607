// What callers see: shapes, statuses, headers of every call, in front of a FakeBroker.
#include "broker/api/api_fixture.hpp"

namespace godwit {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using ApiTest = ApiFixture;

constexpr const char* kMessage = R"({"to":{"user":"u1"},"notification":{"title":"Hi"},"data":{"n":1}})";

TEST_F(ApiTest, AMessageIsAcceptedWithItsId) {
  const http::RawAnswer got = call("POST", "/v1/messages", kServerKey, kMessage, {{"X-Request-Id", "trace-7"}});
  EXPECT_EQ(got.status, 202);
  EXPECT_EQ(got.header("content-type"), "application/json");
  EXPECT_EQ(got.header("x-request-id"), "trace-7");
  const json answer = json::parse(got.body);
  EXPECT_EQ(answer["message_id"].get<std::string>().size(), 26u);
  EXPECT_EQ(answer["status"], "planned");
  EXPECT_EQ(answer["recipients"], 1);
  broker.look([&] {
    const Message& m = broker.accepts.at(0).at(0).message;
    EXPECT_EQ(m.app, "shop");
    EXPECT_EQ(m.content, R"({"notification":{"title":"Hi"},"data":{"n":1}})");
  });
}

TEST_F(ApiTest, AFanOutThatIsStillCountingHasNoRecipientsYet) {
  EXPECT_TRUE(
      expect(202, "POST", "/v1/messages", kServerKey, R"({"to":{"all":true},"data":{}})")["recipients"].is_null());
}

TEST_F(ApiTest, ARepeatedKeyAnswersTheFirstAnswerAgain) {
  const Headers key{{"Idempotency-Key", "k1"}};
  const http::RawAnswer first = call("POST", "/v1/messages", kServerKey, kMessage, key);
  EXPECT_EQ(first.header("idempotent-replayed"), "");
  const http::RawAnswer again = call("POST", "/v1/messages", kServerKey, kMessage, key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  expect(409, "POST", "/v1/messages", kServerKey, R"({"to":{"user":"u1"},"data":{"n":2}})", key);
}

TEST_F(ApiTest, FaultsOfABodyAreAllNamed) {
  const json problem = expect(422, "POST", "/v1/messages", kServerKey, R"({"to":{},"options":{"ttl":-1}})");
  EXPECT_EQ(problem["type"], "urn:godwit:problem:invalid");
  EXPECT_EQ(problem["status"], 422);
  EXPECT_EQ(problem["errors"].size(), 3u);
  EXPECT_EQ(problem["errors"][1]["pointer"], "/options/ttl");
  EXPECT_EQ(problem["errors"][1]["code"], "range");
  expect(400, "POST", "/v1/messages", kServerKey, "{");
  expect(400, "POST", "/v1/messages", kServerKey, "");
  expect(413, "POST", "/v1/messages", kServerKey,
         R"({"to":{"user":"u"},"data":{"x":")" + std::string(5000, 'x') + "\"}}");
}

TEST_F(ApiTest, MessagesOfManyConnectionsAreGathered) {
  broker.hold_accepts(true);
  std::vector<std::unique_ptr<http::RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<http::RawClient>(port));
    clients.back()->send(bytes("POST", "/v1/messages", kServerKey, kMessage) +
                         bytes("POST", "/v1/messages", kServerKey, kMessage));
  }
  size_t asked = 0;
  while (asked < 40) {
    broker.look([&] {
      asked = 0;
      for (const auto& batch : broker.accepts) asked += batch.size();
    });
  }
  broker.look([&] { EXPECT_LE(broker.accepts.size(), 20u) << "two of a connection at least go together"; });
  broker.hold_accepts(false);
  std::set<std::string> ids;
  for (auto& c : clients)
    for (int i = 0; i < 2; ++i) ids.insert(json::parse(c->read().body)["message_id"]);
  EXPECT_EQ(ids.size(), 40u);
}

TEST_F(ApiTest, TheBrokersErrorsBecomeProblems) {
  const std::pair<Error, int> cases[] = {
      {{Code::invalid, "names nobody", "/to"}, 422},
      {{Code::not_found, "no", ""}, 404},
      {{Code::conflict, "twice", ""}, 409},
      {{Code::forbidden, "no", ""}, 403},
      {{Code::unsupported, "not yet", ""}, 422},
      {{Code::overloaded, "full", ""}, 503},
      {{Code::overloaded, "quota", "app shop"}, 429},
      {{Code::unavailable, "starting", ""}, 503},
      {{Code::io, "disk", ""}, 503},
      {{Code::no_space, "disk full", ""}, 507},
      {{Code::unknown, "perhaps", ""}, 503},
      {{Code::internal, "bug", ""}, 500},
  };
  for (const auto& [error, status] : cases) {
    broker.fail_with(error);
    const http::RawAnswer got = call("POST", "/v1/messages", kServerKey, kMessage);
    EXPECT_EQ(got.status, status) << error.message;
    EXPECT_EQ(got.header("retry-after").empty(), status != 429 && status != 503 && status != 507) << error.message;
    EXPECT_EQ(json::parse(got.body)["detail"], error.message);
  }
  broker.fail_with(Error{Code::invalid, "names nobody", "/to"});
  EXPECT_EQ(expect(422, "POST", "/v1/messages", kServerKey, kMessage)["errors"][0]["pointer"], "/to");
}

TEST_F(ApiTest, AMessageIsShownWithItsCountsAndItsLife) {
  const std::string id = send_message();
  const json message = expect(200, "GET", "/v1/messages/" + id, kServerKey);
  EXPECT_EQ(message["message_id"], id);
  EXPECT_EQ(message["status"], "delivered");
  EXPECT_EQ(message["complete"], true);
  EXPECT_EQ(message["counts"]["delivered"], 1);
  EXPECT_EQ(message["to"]["user"], "u1");
  EXPECT_EQ(message["data"]["n"], 1);
  EXPECT_EQ(message["options"]["priority"], "normal");
  const json page = expect(200, "GET", "/v1/messages/" + id + "/deliveries?device=d1", kServerKey);
  const json& attempt = page["deliveries"][0]["attempts"][0];
  EXPECT_EQ(attempt["channel"], "selfconn");
  EXPECT_EQ(attempt["why"], "it is connected");
  EXPECT_EQ(attempt["why_numbers"]["p"], 0.9);
  EXPECT_EQ(attempt["vendor_detail"], "vendor says \xef\xbf\xbd") << "a vendor's broken text is mended";
  EXPECT_EQ(page["deliveries"][0]["receipts"][0]["kind"], "device");
  EXPECT_EQ(page["next_page"], "more");
  EXPECT_EQ(expect(200, "DELETE", "/v1/messages/" + id, kServerKey)["cancelled"], 1);
  expect(404, "GET", "/v1/messages/nonsense", kServerKey);
}

TEST_F(ApiTest, ADryRunShowsTheRequestToTheVendorOrWhyThereWouldBeNone) {
  const json run = expect(200, "POST", "/v1/messages/validate", kServerKey, kMessage);
  const json shown = run["samples"][0], refused = run["samples"][1];
  EXPECT_EQ(shown["payload"], "{\"a\":1}");
  EXPECT_EQ(shown["requests"],
            json::parse(R"([{"method": "POST", "url": "https://api.example/send", "body": "{\"a\":1}",
      "headers": [{"name": "authorization", "value": "***"}, {"name": "x-topic", "value": "t"}]}])"));
  EXPECT_EQ(shown["warnings"], json::parse(R"([{"channel": "a", "field": "/notification/title",
      "detail": "is cut to 50 characters"}])"));
  EXPECT_FALSE(shown.contains("errors"));
  EXPECT_EQ(refused["errors"], json::parse(R"([{"channel": "a", "field": "/overrides/a",
      "detail": "must be an object; take the brackets away"}])"));
  EXPECT_FALSE(refused.contains("requests"));
  EXPECT_FALSE(refused.contains("payload"));
}

TEST_F(ApiTest, AClientRegistersItsDeviceAndGetsItsCredential) {
  const std::string body = R"({"platform":"android","user_id":"u1","location":{"lat":1,"lon":2},"tags":["a"],)"
                           R"("channels":{"selfconn":{},"mipush":{"token":"t"}}})";
  const json made = expect(201, "PUT", "/v1/devices/d1", kClientKey, body);
  EXPECT_EQ(made["device_id"], "d1");
  EXPECT_EQ(made["channels"]["mipush"]["token"], "t");
  EXPECT_EQ(made["location"]["lat"], 1);
  EXPECT_EQ(made["connect"], json::array({"mqtt://127.0.0.1:1883"}));
  const auto credential = signer.verify(made["credential"].get<std::string>(), clock.wall_ms());
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->app, "shop");
  EXPECT_EQ(credential->device_id, "d1");
  expect(200, "PUT", "/v1/devices/d1", kClientKey, body);
  const json own = expect(200, "GET", "/v1/devices/d1", made["credential"].get<std::string>());
  EXPECT_EQ(own["tags"], json::array({"a"}));
  const json anonymous = expect(201, "POST", "/v1/devices", kClientKey, R"({"platform":"ios"})");
  EXPECT_FALSE(anonymous["device_id"].get<std::string>().empty());
}

TEST_F(ApiTest, AServerIsToldWhereATokenCameFromAndGetsNoCredential) {
  const std::string body = R"({"platform":"android","channels":{"mipush":{"token":"t"}}})";
  expect(201, "PUT", "/v1/devices/old", kServerKey, body);
  const json made = expect(201, "PUT", "/v1/devices/new", kServerKey, body);
  EXPECT_EQ(made["moved_from"][0]["device_id"], "old");
  EXPECT_FALSE(made.contains("credential"));
  EXPECT_FALSE(expect(201, "PUT", "/v1/devices/third", kClientKey, body).contains("moved_from"));
}

TEST_F(ApiTest, ATokenForAChannelThatTheAppDoesNotHaveIsKeptWithAWarning) {
  ApiOptions options = test_options();
  options.keys.apps[0].rules.channels = {"selfconn", "mipush"};
  start(std::move(options));
  const json made = expect(201, "PUT", "/v1/devices/d1", kClientKey,
                           R"({"platform":"android","channels":{"mipsh":{"token":"t"},"selfconn":{}}})");
  EXPECT_EQ(made["warnings"], json::array({"/channels/mipsh: the app has no such channel now (did you mean 'mipush'?); "
                                           "nothing is sent there"}));
  EXPECT_EQ(made["channels"]["mipsh"]["token"], "t");
  expect(422, "POST", "/v1/messages", kServerKey,
         R"({"to":{"token":{"channel":"mipsh","token":"t"}},"notification":{"title":"x"}})");
}

TEST_F(ApiTest, DevicesAreListedPatchedAndForgotten) {
  for (const char* id : {"a", "b", "c"}) add_device("shop", id, "u 1/2");
  const json page = expect(200, "GET", "/v1/devices?limit=2", kServerKey);
  EXPECT_EQ(page["devices"].size(), 2u);
  const json rest = expect(200, "GET", "/v1/devices?page=" + page["next_page"].get<std::string>(), kServerKey);
  EXPECT_EQ(rest["devices"][0]["device_id"], "c");
  EXPECT_FALSE(rest.contains("next_page"));
  EXPECT_EQ(expect(200, "GET", "/v1/users/u%201%2F2/devices", kServerKey)["devices"].size(), 3u);
  EXPECT_EQ(expect(200, "PATCH", "/v1/devices/a", kServerKey, R"({"model":"M"})")["model"], "M");
  EXPECT_EQ(expect(422, "PATCH", "/v1/devices/a", kServerKey, R"({"location":{"lat":1}})")["errors"][0]["pointer"],
            "/location");
  expect(200, "DELETE", "/v1/devices/a", kServerKey);
  expect(404, "GET", "/v1/devices/a", kServerKey);
  expect(404, "PATCH", "/v1/devices/a", kServerKey, "{}");
}

TEST_F(ApiTest, TopicsAreSubscribedAndListed) {
  add_device("shop", "d1");
  EXPECT_EQ(call("PUT", "/v1/topics/news/devices/d1", kServerKey).status, 204);
  broker.look([&] { EXPECT_TRUE(broker.topics.count("shop/news/d1")); });
  EXPECT_EQ(call("DELETE", "/v1/topics/news/devices/d1", credential("shop", "d1")).status, 204);
  broker.look([&] { EXPECT_TRUE(broker.topics.empty()); });
  EXPECT_EQ(expect(200, "GET", "/v1/topics", kServerKey)["topics"][0]["topic"], "news");
  EXPECT_EQ(expect(200, "GET", "/v1/topics/news/devices", kServerKey)["device_ids"].size(), 2u);
}

TEST_F(ApiTest, ReceiptsAreHandedOn) {
  const std::string id = send_message();
  const std::string body =
      R"([{"message_id":")" + id + R"(","device_id":"d1","event":"opened","at":"2026-09-21T10:00:00Z"}])";
  EXPECT_EQ(expect(200, "POST", "/v1/receipts", kServerKey, body)["counted"], 1);
  broker.look([&] {
    EXPECT_EQ(broker.receipts.at(0).device_id, "d1");
    EXPECT_EQ(broker.receipts.at(0).event, ReceiptEvent::opened);
  });
}

TEST_F(ApiTest, TheInboxShowsMessagesAsTheDeviceGetsThem) {
  add_device("shop", "d1");
  send_message();
  broker.look([&] {
    broker.inbox_items.push_back({std::make_shared<Message>(broker.messages.begin()->second), "c9"});
  });
  const json page = expect(200, "GET", "/v1/inbox?after=c1&wait=5&limit=10", credential("shop", "d1"));
  EXPECT_EQ(page["messages"][0]["data"]["n"], 1);
  EXPECT_EQ(page["messages"][0]["cursor"], "c9");
  EXPECT_EQ(page["cursor"], "c9");
  broker.look([&] { EXPECT_EQ(broker.last_inbox_wait_ms, 5000); });
}

TEST_F(ApiTest, ALongPollIsAnsweredWhenTheServerDrains) {
  add_device("shop", "d1");
  http::RawClient poll(port);
  poll.send(bytes("GET", "/v1/inbox?wait=60&after=here", credential("shop", "d1")));
  int64_t wait = -1;
  while (wait != 60'000) broker.look([&] { wait = broker.last_inbox_wait_ms; });
  server->drain();
  const http::RawAnswer got = poll.read();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(json::parse(got.body)["cursor"], "here");
  EXPECT_EQ(got.header("connection"), "close");
  EXPECT_TRUE(server->wait_drained(std::chrono::seconds(10)));
}

TEST_F(ApiTest, AVendorsCallReachesItsChannelAsItCame) {
  const http::RawAnswer fine = call("PUT", "/v1/callbacks/c1/a/b%20c?x=1&y=%zz", "", "<x/>", {{"X-Sign", "abc"}});
  EXPECT_EQ(fine.status, 201);
  EXPECT_EQ(fine.header("content-type"), "text/xml");
  EXPECT_EQ(fine.body, "<ok/>");
  broker.look([&] {
    const auto& vendor = broker.vendor_calls.at(0);
    EXPECT_EQ(vendor.channel, "c1");
    EXPECT_EQ(vendor.method, "PUT");
    EXPECT_EQ(vendor.tail, "a/b c");
    EXPECT_EQ(vendor.query, "x=1&y=%zz");
    EXPECT_EQ(vendor.body, "<x/>");
    EXPECT_THAT(vendor.headers, testing::Contains(std::pair<std::string, std::string>("x-sign", "abc")));
  });
  EXPECT_EQ(call("GET", "/v1/callbacks/c1", "").status, 201);
  EXPECT_EQ(call("GET", "/v1/callbacks/missing", "").status, 404);
}

TEST_F(ApiTest, ChannelsAreShownAndSwitched) {
  EXPECT_EQ(expect(200, "GET", "/v1/channels", kAdminKey)["channels"][0]["admin_state"], "enabled");
  EXPECT_EQ(expect(200, "PATCH", "/v1/channels/c1", kAdminKey, R"({"state":"draining"})")["admin_state"], "draining");
  expect(404, "PATCH", "/v1/channels/other", kAdminKey, R"({"state":"draining"})");
  EXPECT_EQ(expect(200, "POST", "/v1/channels/c1/reload", kAdminKey)["version_after"], "1.1");
  expect(404, "POST", "/v1/channels/other/reload", kAdminKey);
  EXPECT_EQ(expect(422, "PATCH", "/v1/channels/c1", kAdminKey, R"({"state":"off"})")["errors"][0]["pointer"], "/state");
  std::lock_guard lock(log_mutex);
  EXPECT_THAT(log, testing::ElementsAre("channel c1 was switched to draining by an admin key from 127.0.0.1",
                                        "channel c1 was reloaded by an admin key from 127.0.0.1"))
      << "what was done, and nothing of what was refused";
}

TEST_F(ApiTest, RatesCarryTheirKindAndOnlyMeasuredOnesANumber) {
  const json answer = expect(200, "GET", "/v1/stats/delivery?by=channel,manufacturer&window=7d", kServerKey);
  EXPECT_EQ(answer["rates"][0]["channel"], "c1");
  EXPECT_EQ(answer["rates"][0]["receipt_kind"], "device");
  EXPECT_EQ(answer["rates"][0]["rate"], 0.9);
  EXPECT_EQ(answer["rates"][0]["settled"], 10) << "the sample that the interval rests on";
  EXPECT_TRUE(answer["rates"][1]["rate"].is_null());
  EXPECT_TRUE(answer["rates"][2]["rate"].is_null()) << "sent, and no outcome known yet: not a rate of zero";
  EXPECT_FALSE(answer["rates"][2].contains("median_delay_s"));
  broker.look([&] {
    EXPECT_TRUE(broker.last_rates.by_manufacturer);
    EXPECT_FALSE(broker.last_rates.by_os);
    EXPECT_EQ(broker.last_rates.now_ms - broker.last_rates.from_ms, 7 * 86'400'000LL);
  });
}

TEST_F(ApiTest, ARouteShowsTheDecisionAndWhoSleeps) {
  add_device("shop", "d1");
  const json route = expect(200, "GET", "/v1/devices/d1/route?priority=high", kServerKey);
  EXPECT_EQ(route["decision"]["channel"], "c1");
  EXPECT_EQ(route["candidates"][1]["asleep"], "no_token");
}

TEST_F(ApiTest, WrongParametersAreNamed) {
  add_device("shop", "d1");
  const std::pair<std::string, std::string> cases[] = {
      {"/v1/devices?limit=0", "query:limit"},
      {"/v1/devices?limit=x", "query:limit"},
      {"/v1/devices?lmit=5", "query:lmit"},
      {"/v1/devices?limit=1&limit=2", "query:limit"},
      {"/v1/devices/a%20b", "path:device_id"},
      {"/v1/devices/%zz", "path:device_id"},
      {"/v1/users/a%00b/devices", "path:user_id"},
      {"/v1/topics/a%20b/devices", "path:topic"},
      {"/v1/devices/d1/route?priority=urgent", "query:priority"},
      {"/v1/stats/delivery?by=color", "query:by"},
      {"/v1/stats/delivery?window=1y", "query:window"},
      {"/v1/stats/delivery?window=8d", "query:window"},  // only a week is kept
      {"/v1/events?event=exploded", "query:event"},
      {"/v1/events?message_id=x", "query:message_id"},
      {"/v1/events?device_id=a%20b", "query:device_id"},
  };
  for (const auto& [path, field] : cases)
    EXPECT_EQ(expect(422, "GET", path, kServerKey)["errors"][0]["pointer"], field) << path;
  EXPECT_EQ(expect(422, "GET", "/v1/inbox?wait=61", credential("shop", "d1"))["errors"][0]["pointer"], "query:wait");
  EXPECT_THAT(expect(404, "GET", "/v1/messages/x", kServerKey)["detail"], HasSubstr("path:message_id"));
}

TEST_F(ApiTest, UnknownPathsAndMethods) {
  expect(404, "GET", "/v2/messages", kServerKey);
  expect(404, "GET", "/v1/messages/", kServerKey);
  expect(404, "GET", "/v1/devices/d1/", kServerKey);
  const http::RawAnswer wrong = call("PUT", "/v1/messages", kServerKey, "{}");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "POST");
  const http::RawAnswer device = call("POST", "/v1/devices/d1", kServerKey, "{}");
  EXPECT_EQ(device.status, 405);
  EXPECT_EQ(device.header("allow"), "PUT, GET, HEAD, PATCH, DELETE");
  const http::RawAnswer options = call("OPTIONS", "/v1/messages/batch", "");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("allow"), "POST");
  EXPECT_EQ(call("HEAD", "/v1/devices", kServerKey).status, 200);
}

TEST_F(ApiTest, OperatorsSeeHealthReadinessMetricsAndKeys) {
  EXPECT_EQ(expect(200, "GET", "/healthz", "")["status"], "alive");
  EXPECT_EQ(expect(200, "GET", "/readyz", "")["status"], "ready");
  EXPECT_EQ(call("GET", "/metrics", "").body, "godwit_up 1\n");
  const json keys = expect(200, "GET", "/v1/keys", kAdminKey)["keys"];
  EXPECT_EQ(keys.size(), 5u);
  EXPECT_EQ(keys[0]["kind"], "server");
  EXPECT_EQ(keys[0]["app"], "shop");
  EXPECT_EQ(keys[0]["sha256_prefix"].get<std::string>().size(), 12u);
  EXPECT_EQ(keys.dump().find(kServerKey), std::string::npos);
}

TEST_F(ApiTest, ReadinessSaysWhatIsMissing) {
  ready = Error{Code::unavailable, "the journal is being replayed", ""};
  EXPECT_THAT(expect(503, "GET", "/readyz", "")["detail"], HasSubstr("replayed"));
}

TEST_F(ApiTest, QuotasAnswer429WithTheTimeToWait) {
  ApiOptions options = test_options();
  options.keys.apps[0].requests_per_second = 2;
  options.keys.apps[1].messages_per_second = 1;
  start(options);
  EXPECT_EQ(call("GET", "/v1/topics", kServerKey).status, 200);
  EXPECT_EQ(call("GET", "/v1/topics", kServerKey).status, 200);
  const http::RawAnswer refused = call("GET", "/v1/topics", kServerKey);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("retry-after"), "1");
  send_message(kOtherKey);
  EXPECT_EQ(call("POST", "/v1/messages", kOtherKey, kMessage).status, 429);
  EXPECT_EQ(call("GET", "/v1/topics", kOtherKey).status, 200) << "its requests are not limited";
  clock.advance_ms(1000);
  send_message(kOtherKey);
  EXPECT_EQ(call("GET", "/v1/topics", kServerKey).status, 200);
}

TEST_F(ApiTest, AnAnswerThatTheBrokerForgetsIsA500) {
  broker.hold_accepts(true);
  client->send(bytes("POST", "/v1/messages", kServerKey, kMessage));
  size_t asked = 0;
  while (asked == 0) broker.look([&] { asked = broker.accepts.size(); });
  broker.forget_held();
  EXPECT_EQ(client->read().status, 500);
}

}  // namespace
}  // namespace godwit
