#include "broker/api/http/http_server.hpp"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "broker/api/api_server.hpp"
#include "broker/api/http/raw_client.hpp"

namespace godwit::http {
namespace {

// Collects a streamed body; takes more only while `open_gate`.
struct Collector final : Watcher {
  explicit Collector(Reply r) : reply(std::move(r)) {}
  void on_data(std::string_view piece) override {
    bytes += piece.size();
    reply.begin(200, "text/plain");
    reply.write(piece.substr(0, 1));
  }
  void on_end() override {
    reply.begin(200, "text/plain");
    reply.write("total " + std::to_string(bytes));
    reply.finish();
  }
  bool wants_data() override { return gate_open; }
  void on_closed() override { closed.set_value(); }
  Reply reply;
  std::atomic<size_t> bytes{0};
  bool gate_open = true;
  std::promise<void> closed;
};

// Answers by path; /hold keeps the reply until the test lets it go.
class TestHandler final : public Handler {
 public:
  void on_request(const Request& request, Reply reply) override {
    if (request.path == "/throw") throw std::runtime_error("a handler's mistake");
    if (request.path == "/drop") return;
    if (request.path == "/hold") {
      std::lock_guard lock(mutex);
      held[std::string(request.query)] = std::make_unique<Reply>(std::move(reply));
      arrived.notify_all();
      return;
    }
    if (request.path == "/stream-answer") {
      reply.begin(200, "text/plain");
      reply.write("one ");
      reply.write("two");
      return reply.finish();
    }
    Response answer;
    answer.content_type = "text/plain";
    answer.body = std::string(request.method_text) + " " + std::string(request.path) + "?" +
                  std::string(request.query) + " " + std::string(request.body);
    if (request.path == "/inject") answer.headers.emplace_back("X-Vendor", "a\r\nX-Evil: b");
    if (request.path == "/size") answer.body = std::to_string(request.body.size());
    reply.send(std::move(answer));
  }
  bool streams(const Request& request) const override { return request.path.starts_with("/upload"); }
  void on_stream(const Request& request, Reply reply) override {
    if (request.path == "/upload-refused") {
      Response answer;
      answer.status = 401;
      return reply.send(std::move(answer));
    }
    auto watcher = std::make_shared<Collector>(std::move(reply));
    if (request.path == "/upload-gated") watcher->gate_open = false;
    {
      std::lock_guard lock(mutex);
      collector = watcher;
      arrived.notify_all();
    }
    watcher->reply.watch(watcher);
  }

  std::unique_ptr<Reply> take(const std::string& name) {
    std::unique_lock lock(mutex);
    arrived.wait_for(lock, std::chrono::seconds(10), [&] { return held.count(name) > 0; });
    auto out = std::move(held[name]);
    held.erase(name);
    return out;
  }
  std::shared_ptr<Collector> take_collector() {
    std::unique_lock lock(mutex);
    arrived.wait_for(lock, std::chrono::seconds(10), [&] { return collector != nullptr; });
    return std::move(collector);
  }

  std::mutex mutex;
  std::condition_variable arrived;
  std::map<std::string, std::unique_ptr<Reply>> held;
  std::shared_ptr<Collector> collector;
};

Response text(std::string body) {
  Response out;
  out.content_type = "text/plain";
  out.body = std::move(body);
  return out;
}

// Answers a held request from this, a foreign, thread.
void answer(std::unique_ptr<Reply> reply, std::string body) {
  ASSERT_TRUE(reply);
  auto home = reply->home();
  home->post([reply = std::move(reply), body = std::move(body)] { reply->send(text(body)); });
}

struct HttpServerTest : testing::Test {
  void start(ApiLimits limits = {}, unsigned threads = 2) {
    auto started = HttpServer::start({{"127.0.0.1:0"}, threads, limits}, handler, clock);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(started).value();
    port = server->ports().at(0);
  }
  std::shared_ptr<TestHandler> handler = std::make_shared<TestHandler>();
  ManualClock clock;
  std::unique_ptr<HttpServer> server;
  uint16_t port = 0;
};

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(HttpServerTest, AnswersManyRequestsOfOneConnection) {
  start();
  RawClient client(port);
  for (int i = 0; i < 3; ++i) {
    const RawAnswer got = client.send(kGet).read();
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "GET /a?b=c ");
    EXPECT_EQ(got.header("connection"), "");
    EXPECT_FALSE(got.header("x-request-id").empty());
    EXPECT_NE(got.header("date").find("GMT"), std::string::npos);
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  start();
  RawClient client(port);
  std::string all;
  for (const char* name : {"1", "2", "3"}) all += std::string("GET /hold?") + name + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(all + std::string(kGet));
  auto first = handler->take("1");
  answer(handler->take("3"), "third");
  answer(handler->take("2"), "second");
  answer(std::move(first), "first");
  EXPECT_EQ(client.read().body, "first");
  EXPECT_EQ(client.read().body, "second");
  EXPECT_EQ(client.read().body, "third");
  EXPECT_EQ(client.read().body, "GET /a?b=c ");
}

TEST_F(HttpServerTest, ReadsNoFurtherThanThePipelineLimit) {
  ApiLimits limits;
  limits.pipeline = 2;
  start(limits);
  RawClient client(port);
  std::string all;
  for (int i = 0; i < 4; ++i) all += "GET /hold?" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(all);
  auto zero = handler->take("0");
  auto one = handler->take("1");
  {
    std::lock_guard lock(handler->mutex);
    EXPECT_TRUE(handler->held.empty());
  }
  answer(std::move(zero), "0");
  answer(handler->take("2"), "2");
  answer(std::move(one), "1");
  answer(handler->take("3"), "3");
  for (const char* body : {"0", "1", "2", "3"}) EXPECT_EQ(client.read().body, body);
}

TEST_F(HttpServerTest, ReadsBodiesWholeInPiecesAndChunked) {
  start();
  RawClient client(port);
  EXPECT_EQ(client.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").read().body, "POST /p? hello");
  client.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
  EXPECT_EQ(client.send("llo").read().body, "POST /p? hello");
  client.send("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n");
  EXPECT_EQ(client.send("Trailer: 1\r\n\r\n").read().body, "POST /p? hello");
  const std::string large(200'000, 'x');
  client.send("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + large);
  EXPECT_EQ(client.read().body, "200000");
}

TEST_F(HttpServerTest, ByteByByteIsTheSameRequest) {
  start();
  RawClient client(port);
  for (const char c :
       std::string("POST /p?q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"))
    client.send(std::string(1, c));
  EXPECT_EQ(client.read().body, "POST /p?q ab");
}

TEST_F(HttpServerTest, RefusesWhatIsTooLarge) {
  start();
  const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\nX-Long: ";
  RawClient header(port);
  const RawAnswer got = header.send(get + std::string(20'000, 'x') + "\r\n\r\n").read();
  EXPECT_EQ(got.status, 431);
  EXPECT_EQ(got.header("content-type"), "application/problem+json");
  EXPECT_EQ(got.header("connection"), "close");
  EXPECT_FALSE(got.header("x-request-id").empty());
  EXPECT_TRUE(header.closed());

  RawClient fields(port);
  std::string many = "GET /a HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  EXPECT_EQ(fields.send(many + "\r\n").read().status, 431);

  RawClient body(port);
  EXPECT_EQ(body.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 262145\r\n\r\n").read().status, 413);
  EXPECT_TRUE(body.closed());

  RawClient chunked(port);
  chunked.send("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n30000\r\n" +
               std::string(0x30000, 'x'));
  EXPECT_EQ(chunked.send("\r\n20000\r\n").read().status, 413);
}

TEST_F(HttpServerTest, ATrickledHeaderIsCountedAsAWhole) {
  start();
  RawClient client(port);
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n");
  for (int i = 0; i < 90; ++i) client.send("X-Piece: " + std::string(200, 'x') + "\r\n");
  EXPECT_EQ(client.read().status, 431);
}

TEST_F(HttpServerTest, RefusesWhatTwoParsersCouldReadInTwoWays) {
  start();
  const std::pair<const char*, int> cases[] = {
      {"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
      {"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
      {"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400},
      {"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 501},
      {"POST /p HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n", 415},
      {"POST /p HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\n", 417},
      {"GET /a HTTP/1.1\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"GET /a HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET /a\r\n\r\n", 400},
      {"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\nHost : x\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x01garbage\r\n\r\n", 400},
      {"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
  };
  for (const auto& [bytes, status] : cases) {
    RawClient client(port);
    EXPECT_EQ(client.send(bytes).read().status, status) << bytes;
    EXPECT_TRUE(client.closed()) << bytes;
  }
}

TEST_F(HttpServerTest, ASlowRequestIsTimedOutAndAnIdleConnectionClosed) {
  start();
  RawClient idle(port), slow(port), body(port);
  EXPECT_EQ(idle.send(kGet).read().status, 200);
  slow.send("GET /a HTT");
  body.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
  RawClient marker(port);  // its answer says that what came before it was read
  for (int i = 0; i < 3; ++i) EXPECT_EQ(marker.send(kGet).read().status, 200);
  while (server->stats().connections < 4) std::this_thread::yield();
  // The clock moves until the server has noticed: it may read the first bytes after the first step.
  std::atomic<bool> done{false};
  std::thread time([&] {
    while (!done) {
      clock.advance_ms(1000);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  EXPECT_EQ(slow.read().status, 408);
  EXPECT_EQ(body.read().status, 408);
  EXPECT_TRUE(idle.closed());
  done = true;
  time.join();
}

TEST_F(HttpServerTest, SaysContinueBeforeABodyThatWaitsForIt) {
  start();
  RawClient client(port);
  client.send("POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  EXPECT_EQ(client.send("hello").read().body, "POST /p? hello");
}

TEST_F(HttpServerTest, HeadHasTheHeaderOnly) {
  start();
  RawClient client(port);
  const RawAnswer got = client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n").read(true);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("content-length"), "9");
  EXPECT_EQ(client.send(kGet).read().body, "GET /a?b=c ");
}

TEST_F(HttpServerTest, SpeaksHttp10) {
  start();
  RawClient plain(port);
  const RawAnswer got = plain.send("GET /a HTTP/1.0\r\n\r\n").read();
  EXPECT_EQ(got.body, "GET /a? ");
  EXPECT_EQ(got.header("connection"), "close");
  EXPECT_TRUE(plain.closed());
  RawClient kept(port);
  EXPECT_EQ(kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").read().header("connection"), "keep-alive");
  EXPECT_EQ(kept.send("GET /stream-answer HTTP/1.0\r\n\r\n").read().body, "one two");
  EXPECT_TRUE(kept.closed());
}

TEST_F(HttpServerTest, ClosesAfterTheRequestThatAsksForIt) {
  start();
  RawClient client(port);
  const RawAnswer got = client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").read();
  EXPECT_EQ(got.header("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, TakesASaneRequestIdAndReplacesAnother) {
  start();
  RawClient client(port);
  const std::string head = "GET /a HTTP/1.1\r\nHost: x\r\nX-Request-Id: ";
  EXPECT_EQ(client.send(head + "trace-1:a.b\r\n\r\n").read().header("x-request-id"), "trace-1:a.b");
  const std::string made = client.send(head + "<script>\r\n\r\n").read().header("x-request-id");
  EXPECT_EQ(made.size(), 13u);
  EXPECT_NE(client.send(head + std::string(65, 'a') + "\r\n\r\n").read().header("x-request-id"), made);
}

TEST_F(HttpServerTest, AHandlerThatThrowsOrForgetsIsA500) {
  start();
  RawClient client(port);
  EXPECT_EQ(client.send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n").read().status, 500);
  EXPECT_EQ(client.send("GET /drop HTTP/1.1\r\nHost: x\r\n\r\n").read().status, 500);
  EXPECT_EQ(client.send(kGet).read().status, 200);
}

TEST_F(HttpServerTest, AHeaderValueCannotBeginAHeaderOfItsOwn) {
  start();
  RawClient client(port);
  const RawAnswer got = client.send("GET /inject HTTP/1.1\r\nHost: x\r\n\r\n").read();
  EXPECT_EQ(got.header("x-vendor"), "a  X-Evil: b");
  EXPECT_EQ(got.header("x-evil"), "");
}

TEST_F(HttpServerTest, StreamsABodyPieceByPieceAndAnswersMeanwhile) {
  start();
  RawClient client(port);
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_EQ(client.read_head().status, 200);
  EXPECT_EQ(client.read_chunk(), "a");
  client.send("3\r\nxyz\r\n");
  EXPECT_EQ(client.read_chunk(), "x");
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.read_chunk(), "total 6");
  EXPECT_EQ(client.read_chunk(), std::nullopt);
  EXPECT_EQ(client.send(kGet).read().status, 200);
  EXPECT_EQ(handler->take_collector()->closed.get_future().wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
}

TEST_F(HttpServerTest, AStreamThatWantsNothingStopsTheSender) {
  start();
  RawClient client(port);
  client.send("POST /upload-gated HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n");
  const auto collector = handler->take_collector();
  const std::string piece(1 << 20, 'x');
  // The sockets' buffers fill, and then nothing more goes out.
  size_t sent = 0;
  for (int stuck = 0; stuck < 20;) {
    const size_t n = client.send_some(piece);
    sent += n;
    if (n) continue;
    ++stuck;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_LT(sent, 50'000'000u);
  EXPECT_EQ(collector->bytes, 0u);
  collector->reply.home()->post([collector] {
    collector->gate_open = true;
    collector->reply.resume();
  });
  for (std::string rest(50'000'000 - sent, 'x'); !rest.empty();) {
    client.send(rest.substr(0, 1 << 20));
    rest.erase(0, 1 << 20);
  }
  EXPECT_NE(client.read().body.find("total 50000000"), std::string::npos);
}

TEST_F(HttpServerTest, ARefusedStreamIsAnsweredBeforeItsBody) {
  start();
  RawClient client(port);
  client.send("POST /upload-refused HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n");
  const RawAnswer got = client.read();
  EXPECT_EQ(got.status, 401);
  EXPECT_EQ(got.header("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, ACallerWhoStopsSendingStillGetsItsAnswers) {
  start();
  RawClient client(port);
  client.send("GET /hold?late HTTP/1.1\r\nHost: x\r\n\r\n").close_sending();
  answer(handler->take("late"), "here");
  EXPECT_EQ(client.read().body, "here");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, AnAnswerToAConnectionThatIsGoneIsDropped) {
  start();
  {
    RawClient client(port);
    client.send("GET /hold?gone HTTP/1.1\r\nHost: x\r\n\r\n");
    auto reply = handler->take("gone");
    client.close();
    answer(std::move(reply), "nobody reads this");
  }
  RawClient next(port);
  EXPECT_EQ(next.send(kGet).read().status, 200);
}

TEST_F(HttpServerTest, DrainFinishesWhatIsInFlightAndClosesTheRest) {
  start();
  RawClient idle(port), busy(port);
  EXPECT_EQ(idle.send(kGet).read().status, 200);
  busy.send("GET /hold?b HTTP/1.1\r\nHost: x\r\n\r\n");
  auto reply = handler->take("b");
  server->drain();
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(server->wait_drained(std::chrono::milliseconds(1)));
  answer(std::move(reply), "finished");
  const RawAnswer got = busy.read();
  EXPECT_EQ(got.body, "finished");
  EXPECT_EQ(got.header("connection"), "close");
  EXPECT_TRUE(busy.closed());
  EXPECT_TRUE(server->wait_drained(std::chrono::seconds(10)));
}

TEST_F(HttpServerTest, AnswersThatComeAfterTheServerIsGoneAreDropped) {
  start();
  RawClient client(port);
  client.send("GET /hold?x HTTP/1.1\r\nHost: x\r\n\r\n");
  auto reply = handler->take("x");
  server.reset();
  answer(std::move(reply), "too late");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, APortInUseIsSaidInOneLine) {
  start();
  const std::string where = "127.0.0.1:" + std::to_string(port);
  const auto second = HttpServer::start({{where}, 1, {}}, handler, clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "http.listen: " + where + " is in use by another process; stop it or change http.listen");
  const auto foreign = HttpServer::start({{"192.0.2.1:0"}, 1, {}}, handler, clock);
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().message.find("not an address of this machine"), std::string::npos);
  const auto bad = HttpServer::start({{"8480"}, 1, {}}, handler, clock);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("such as 127.0.0.1:8480"), std::string::npos);
}

TEST_F(HttpServerTest, OneAddressCannotTakeAllConnections) {
  ApiLimits limits;
  limits.connections_per_address = 2;
  start(limits);
  RawClient a(port), b(port);
  EXPECT_EQ(a.send(kGet).read().status, 200);
  EXPECT_EQ(b.send(kGet).read().status, 200);
  RawClient c(port);
  const RawAnswer refused = c.read();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("retry-after"), "5");
  RawClient other(port, "127.0.0.2");
  EXPECT_EQ(other.send(kGet).read().status, 200);
}

}  // namespace
}  // namespace godwit::http
