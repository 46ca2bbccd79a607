// The calls whose bodies or answers are streams: batches and events.
#include "broker/api/api_fixture.hpp"

namespace godwit {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string line(int n) {
  return R"({"to":{"user":"u1"},"data":{"n":)" + std::to_string(n) + "}}\n";
}

std::vector<json> lines_of(const std::string& body) {
  std::vector<json> out;
  for (size_t at = 0; at < body.size();) {
    const size_t eol = body.find('\n', at);
    out.push_back(json::parse(body.substr(at, eol - at)));
    at = eol + 1;
  }
  return out;
}

struct BatchTest : ApiFixture {
  const Headers ndjson{{"Content-Type", "application/x-ndjson"}};
  http::RawAnswer batch(const std::string& body, const std::string& type = "application/x-ndjson") {
    return call("POST", "/v1/messages/batch", kServerKey, body, {{"Content-Type", type}});
  }
};

TEST_F(BatchTest, EveryLineHasItsAnswerInOrder) {
  std::string body;
  for (int i = 0; i < 5000; ++i) body += i % 100 == 7 ? "{\"to\":{}}\n" : line(i);
  const http::RawAnswer got = batch(body);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("content-type"), "application/x-ndjson");
  const auto answers = lines_of(got.body);
  ASSERT_EQ(answers.size(), 5000u);
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(answers[i]["index"], i);
    EXPECT_EQ(answers[i].contains("message_id"), i % 100 != 7);
    EXPECT_EQ(answers[i].contains("error"), i % 100 == 7);
  }
  EXPECT_EQ(answers[7]["error"]["errors"][0]["pointer"], "/to");
  broker.look([&] {
    std::vector<std::string> order;
    for (const auto& group : broker.accepts)
      for (const auto& draft : group) order.push_back(draft.message.content);
    EXPECT_EQ(order.front(), R"({"data":{"n":0}})");
    EXPECT_EQ(order.back(), R"({"data":{"n":4999}})");
    EXPECT_LT(broker.accepts.size(), 200u) << "groups, not single messages";
  });
}

TEST_F(BatchTest, AnArrayIsABatchToo) {
  std::string body = "[";
  for (int i = 0; i < 300; ++i) body += (i ? "," : "") + line(i);
  EXPECT_EQ(lines_of(batch(body + "]", "application/json; charset=utf-8").body).size(), 300u);
  EXPECT_EQ(batch("[]", "application/json").status, 200);
}

TEST_F(BatchTest, WhatIsNoBatchIsRefused) {
  EXPECT_EQ(batch(line(1), "text/csv").status, 415);
  EXPECT_EQ(batch(line(1), "application/json").status, 400) << "one object is not an array";
  const auto answers = lines_of(batch("[" + line(1) + "," + line(2), "application/json").body);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_THAT(answers[1]["error"]["detail"].get<std::string>(), HasSubstr("does not end"));
  EXPECT_EQ(call("POST", "/v1/messages/batch", "", line(1), ndjson).status, 401);
}

TEST_F(BatchTest, AnswersComeWhileTheBatchIsStillBeingSent) {
  http::RawClient slow(port);
  slow.send(
      "POST /v1/messages/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
      "Content-Type: application/x-ndjson\r\nAuthorization: Bearer " +
      std::string(kServerKey) + "\r\n\r\n");
  const std::string first = line(1), rest = line(2);
  const auto chunk = [](const std::string& s) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", s.size());
    return size + s + "\r\n";
  };
  slow.send(chunk(first + rest.substr(0, 5)));
  EXPECT_EQ(slow.read_head().status, 200);
  EXPECT_EQ(json::parse(*slow.read_chunk())["index"], 0);
  slow.send(chunk(rest.substr(5)) + "0\r\n\r\n");
  EXPECT_EQ(json::parse(*slow.read_chunk())["index"], 1);
  EXPECT_EQ(slow.read_chunk(), std::nullopt);
}

TEST_F(BatchTest, AnOverlongLineIsRefusedAndTheNextOnesAreNot) {
  const auto answers = lines_of(batch(line(0) + std::string(300'000, 'x') + "\n" + line(2)).body);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[1]["error"]["status"], 413);
  EXPECT_TRUE(answers[2].contains("message_id"));
}

TEST_F(BatchTest, TheBrokersRefusalStandsInItsLine) {
  broker.fail_with(Error{Code::overloaded, "too many messages are open", ""});
  EXPECT_EQ(lines_of(batch(line(0)).body).at(0)["error"]["status"], 503);
}

TEST_F(BatchTest, AKeyOfALineIsItsOwn) {
  const std::string keyed = R"({"to":{"user":"u1"},"data":{},"idempotency_key":"k"})";
  const auto answers = lines_of(batch(keyed + "\n" + line(1) + keyed).body);
  EXPECT_EQ(answers.at(0)["message_id"], answers.at(2)["message_id"]);
  EXPECT_EQ(answers.at(2)["repeated"], true);
}

TEST_F(BatchTest, ABrokerThatDoesNotAnswerStopsTheSender) {
  broker.hold_accepts(true);
  http::RawClient sender(port);
  sender.send(
      "POST /v1/messages/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n"
      "Content-Type: application/x-ndjson\r\nAuthorization: Bearer " +
      std::string(kServerKey) + "\r\n\r\n");
  std::string piece;
  for (int i = 0; i < 20'000; ++i) piece += line(i);
  size_t sent = 0;
  for (int stuck = 0; stuck < 20;) {
    const size_t n = sender.send_some(piece);
    sent += n;
    if (n) continue;
    ++stuck;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_LT(sent, 50'000'000u);
  broker.look([&] { EXPECT_LE(broker.accepts.size(), 8u); });
}

TEST_F(BatchTest, AQuotaSlowsABatchDown) {
  ApiOptions options = test_options();
  options.keys.apps[0].messages_per_second = 1000;
  start(options);
  std::string body;
  for (int i = 0; i < 10'000; ++i) body += line(i);
  client->send(bytes("POST", "/v1/messages/batch", kServerKey, body, ndjson));
  std::atomic<bool> done{false};
  std::thread time([&] {  // the batch takes about nine of the clock's seconds
    while (!done) {
      clock.advance_ms(100);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const MonoNs before = clock.mono_ns();
  EXPECT_EQ(lines_of(client->read().body).size(), 10'000u);
  EXPECT_GT(clock.mono_ns() - before, 5 * kNsPerSecond);
  done = true;
  time.join();
}

TEST_F(BatchTest, ADrainAnswersWhatCameAndSaysWhereToGoOn) {
  http::RawClient sender(port);
  sender.send(
      "POST /v1/messages/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
      "Content-Type: application/x-ndjson\r\nAuthorization: Bearer " +
      std::string(kServerKey) + "\r\n\r\n" + line(0));
  EXPECT_EQ(sender.read_head().status, 200);
  EXPECT_TRUE(json::parse(*sender.read_chunk()).contains("message_id"));
  server->drain();
  const json last = json::parse(*sender.read_chunk());
  EXPECT_EQ(last["index"], 1);
  EXPECT_EQ(last["error"]["status"], 503);
  EXPECT_EQ(sender.read_chunk(), std::nullopt);
}

struct EventsTest : ApiFixture {
  std::unique_ptr<http::RawClient> follow(const std::string& query = "", const std::string& key = kServerKey) {
    auto reader = std::make_unique<http::RawClient>(port);
    reader->send(bytes("GET", "/v1/events" + query, key));
    EXPECT_EQ(reader->read_head().header("content-type"), "text/event-stream");
    EXPECT_THAT(reader->read_chunk().value_or(""), HasSubstr(": "));
    return reader;
  }
  static LifeEvent event(const std::string& app, const std::string& step, uint64_t n = 1) {
    LifeEvent out;
    out.at_ms = 1'790'000'000'000;
    out.app = app;
    out.message = MessageId::make(1'790'000'000'000, 1, {0, n});
    out.device_id = "d1";
    out.event = step;
    return out;
  }
  // Of the first event in it: several may come in one chunk.
  static json data(const std::string& chunk) {
    const size_t at = chunk.find("data: ") + 6;
    return json::parse(chunk.substr(at, chunk.find('\n', at) - at));
  }
};

TEST_F(EventsTest, StepsOfTheOwnAppArrive) {
  const auto reader = follow();
  broker.emit(event("news", "accepted"));
  broker.emit(event("shop", "delivered"));
  const std::string chunk = reader->read_chunk().value_or("");
  EXPECT_TRUE(chunk.starts_with("event: delivered\ndata: {")) << chunk;
  EXPECT_TRUE(chunk.ends_with("\n\n"));
  EXPECT_EQ(data(chunk)["app"], "shop");
  EXPECT_EQ(data(chunk)["device_id"], "d1");
  EXPECT_EQ(data(chunk)["at"], "2026-09-21T14:13:20.000Z");
}

TEST_F(EventsTest, FiltersAndAdmins) {
  const auto reader = follow("?event=opened,failed");
  const auto one = follow("?message_id=" + event("shop", "", 5).message.text() + "&app=shop", kAdminKey);
  const auto every = follow("", kAdminKey);
  broker.emit(event("shop", "delivered", 5));
  broker.emit(event("news", "failed"));
  broker.emit(event("shop", "failed"));
  EXPECT_EQ(data(*reader->read_chunk())["event"], "failed");
  EXPECT_EQ(data(*one->read_chunk())["event"], "delivered");
  EXPECT_EQ(data(*every->read_chunk())["app"], "shop");
}

TEST_F(EventsTest, AQuietStreamShowsThatItLives) {
  const auto reader = follow();
  clock.advance_ms(16'000);
  EXPECT_EQ(reader->read_chunk(), ": still here\n\n");
}

TEST_F(EventsTest, AReaderWhoLeavesIsForgotten) {
  auto reader = follow();
  EXPECT_EQ(broker.subscribers(), 1u);
  reader.reset();
  while (broker.subscribers() > 0) std::this_thread::yield();
}

TEST_F(EventsTest, AReaderWhoDoesNotReadIsCutOffAndTold) {
  ApiOptions options = test_options();
  options.limits.event_buffer_bytes = 64 * 1024;
  start(options);
  const auto reader = follow();
  LifeEvent fat = event("shop", "sent");
  fat.detail = std::string(10'000, 'x');
  for (int i = 0; i < 5000 && broker.subscribers() > 0; ++i) broker.emit(fat);
  while (broker.subscribers() > 0) std::this_thread::yield();
  std::string last;
  while (const auto chunk = reader->read_chunk()) last = *chunk;
  EXPECT_THAT(last, HasSubstr("slow_reader"));
}

TEST_F(EventsTest, ADrainEndsTheStream) {
  const auto reader = follow();
  server->drain();
  EXPECT_THAT(*reader->read_chunk(), HasSubstr("draining"));
  EXPECT_EQ(reader->read_chunk(), std::nullopt);
  EXPECT_TRUE(server->wait_drained(std::chrono::seconds(10)));
}

}  // namespace
}  // namespace godwit
