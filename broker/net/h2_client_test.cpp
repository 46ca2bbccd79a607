// The HTTP/2 client against a real server on loopback: what it says of a request's fate must agree with what the server
// saw, and every request ends exactly once.
#include "broker/net/h2_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <latch>
#include <map>
#include <set>

#include "broker/net/testing/h2_server.hpp"

namespace godwit::net {
namespace {

using testing::H2Request;
using testing::H2Server;
using testing::H2ServerConnection;
using ::testing::HasSubstr;
using Fault = HttpResponse::Fault;
using namespace std::chrono_literals;

// Collects answers; a request that ends twice, or after the test, fails the test.
class Answers {
 public:
  HttpDone next() {
    std::lock_guard lock(mutex_);
    const size_t number = all_.size();
    all_.emplace_back();
    return [this, number](HttpResponse r) {
      std::lock_guard lock(mutex_);
      EXPECT_FALSE(all_[number].has_value()) << "ended twice";
      all_[number] = std::move(r);
      ++ended_;
      changed_.notify_all();
    };
  }
  std::vector<HttpResponse> wait(size_t n) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return ended_ >= n; })) << ended_ << " of " << n;
    std::vector<HttpResponse> out;
    for (auto& r : all_)
      if (r) out.push_back(*r);
    return out;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::optional<HttpResponse>> all_;
  size_t ended_ = 0;
};

H2ClientOptions quick() {
  H2ClientOptions options;
  options.timing.backoff_first = 20ms;
  options.timing.ping_patience = 100ms;
  options.timing.grow_after = 10ms;
  return options;
}

// Time-outs that a busy machine does not reach; a test that needs one to end sets it.
HttpPoolOptions patient() {
  HttpPoolOptions options;
  options.connect_timeout_ms = 20'000;
  options.request_timeout_ms = 30'000;
  return options;
}

class H2ClientTest : public ::testing::Test {
 protected:
  uint64_t pool_to(const std::string& origin, HttpPoolOptions options = patient()) {
    return pool_to(client, origin, std::move(options));
  }
  static uint64_t pool_to(H2Client& client, const std::string& origin, HttpPoolOptions options = patient()) {
    options.origin = origin;
    Result<uint64_t> pool = client.open_pool(std::move(options));
    EXPECT_TRUE(pool);
    return *pool;
  }
  void send(uint64_t pool, const std::string& path = "/", uint64_t cookie = 0, std::string body = "{}") {
    HttpRequest request;
    request.path = path;
    request.headers = {{"authorization", "bearer FAKE"}, {"apns-topic", "org.example.chat"}};
    request.body = std::move(body);
    request.cookie = cookie;
    const Result<void> sent = client.send(pool, std::move(request), answers.next());
    EXPECT_TRUE(sent) << sent.error().message;
  }
  HttpResponse ask(uint64_t pool, const std::string& path = "/") { return ask(client, pool, path); }
  static HttpResponse ask(H2Client& client, uint64_t pool, const std::string& path = "/") {
    Answers one;
    HttpRequest request;
    request.path = path;
    request.body = "{}";
    EXPECT_TRUE(client.send(pool, std::move(request), one.next()));
    return one.wait(1).at(0);
  }
  static size_t count(const std::vector<HttpResponse>& all, Delivery delivery) {
    return static_cast<size_t>(
        std::count_if(all.begin(), all.end(), [&](const HttpResponse& r) { return r.delivery == delivery; }));
  }

  SystemClock clock;
  Answers answers;
  H2Client client{clock, quick()};
};

const auto kAnswer200 = [](H2ServerConnection& c, const H2Request& r) { c.answer(r.stream, 200); };

TEST_F(H2ClientTest, HandsOverTheAnswerWithStatusHeadersAndBody) {
  H2Request seen;
  H2Server server([&](H2ServerConnection& c, const H2Request& r) {
    seen = r;
    c.answer(r.stream, 410, R"({"reason":"Unregistered"})");
  });
  send(pool_to(server.origin()), "/3/device/ab", 7, R"({"aps":{}})");
  const HttpResponse r = answers.wait(1).at(0);
  EXPECT_EQ(r.delivery, Delivery::answered);
  EXPECT_EQ(r.fault, Fault::none);
  EXPECT_EQ(r.status, 410);
  EXPECT_EQ(r.version, 2);
  EXPECT_EQ(r.cookie, 7u);
  EXPECT_GT(r.elapsed_ns, 0);
  EXPECT_EQ(r.body, R"({"reason":"Unregistered"})");
  EXPECT_THAT(r.headers, ::testing::Contains(std::pair<std::string, std::string>("server", "h2-server")));
  EXPECT_EQ(seen.path, "/3/device/ab");
  EXPECT_EQ(seen.body, R"({"aps":{}})");
  EXPECT_THAT(seen.headers, ::testing::Contains(std::pair<std::string, std::string>("authorization", "bearer FAKE")));
  EXPECT_THAT(seen.headers, ::testing::Contains(std::pair<std::string, std::string>(":scheme", "http")));
}

TEST_F(H2ClientTest, NeverOpensMoreStreamsThanTheServerAllows) {
  H2Server server(kAnswer200, {.max_streams = 3, .certificate = {}});
  HttpPoolOptions options = patient();
  options.max_connections = 1;
  const uint64_t pool = pool_to(server.origin(), options);
  for (int i = 0; i < 500; ++i) send(pool, "/" + std::to_string(i));
  EXPECT_EQ(count(answers.wait(500), Delivery::answered), 500u);
  EXPECT_LE(server.most_streams(), 3);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(H2ClientTest, ObeysALimitThatShrinksToOneAndGrowsAgainWhileRunning) {
  std::atomic<bool> tight{false};
  std::atomic<int> most_while_tight{0}, open{0};
  std::vector<uint32_t> told;
  std::mutex told_mutex;
  H2Server server([&](H2ServerConnection& c, const H2Request& r) {
    if (c.requests == 50) c.allow_streams(1);
    if (c.requests == 200) c.allow_streams(100);
    c.answer(r.stream, 200);
  });
  HttpPoolOptions options = patient();
  options.max_connections = 1;
  options.on_slots = [&](uint32_t n) {
    std::lock_guard lock(told_mutex);
    told.push_back(n);
  };
  const uint64_t pool = pool_to(server.origin(), options);
  for (int i = 0; i < 500; ++i) send(pool, "/" + std::to_string(i));
  EXPECT_EQ(count(answers.wait(500), Delivery::answered), 500u);
  EXPECT_EQ(server.seen().size(), 500u) << "none twice";
  std::lock_guard lock(told_mutex);
  EXPECT_THAT(told, ::testing::Contains(1u)) << "the pool's owner learns of it";
  EXPECT_EQ(told.back(), 100u);
}

TEST_F(H2ClientTest, SendsAgainWhatTheServerRefusedToLookAt) {
  std::map<std::string, int> calls;
  H2Server server([&](H2ServerConnection& c, const H2Request& r) {
    ++calls[r.path] == 1 ? c.reset(r.stream, NGHTTP2_REFUSED_STREAM) : c.answer(r.stream, 200);
  });
  const uint64_t pool = pool_to(server.origin());
  for (int i = 0; i < 20; ++i) send(pool, "/" + std::to_string(i));
  EXPECT_EQ(count(answers.wait(20), Delivery::answered), 20u);
  EXPECT_EQ(client.figures(pool)->refused_streams, 20u);
}

TEST_F(H2ClientTest, CallsWhatIsRefusedAgainAndAgainNotSent) {
  H2Server server([&](H2ServerConnection& c, const H2Request& r) { c.reset(r.stream, NGHTTP2_REFUSED_STREAM); });
  const HttpResponse r = ask(pool_to(server.origin()));
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, HasSubstr("refused"));
  EXPECT_EQ(server.seen().size(), 4u);
}

TEST_F(H2ClientTest, MovesWhatIsAboveTheLastIdOfAGoawayToAnotherConnection) {
  // The first connection answers its first 10 requests, says GOAWAY for everything after, and closes.
  std::promise<void> all_sent;
  H2Server server([&, ready = all_sent.get_future().share()](H2ServerConnection& c, const H2Request& r) {
    ready.wait();
    if (c.number > 1 || c.requests <= 10) c.answer(r.stream, 200);
    if (c.number == 1 && c.requests == 10) {
      c.goaway(r.stream, NGHTTP2_NO_ERROR, R"({"reason":"Shutdown"})");
      c.close_after_writing();
    }
  });
  const uint64_t pool = pool_to(server.origin());
  for (int i = 0; i < 300; ++i) send(pool, "/" + std::to_string(i));
  all_sent.set_value();
  const std::vector<HttpResponse> all = answers.wait(300);
  for (const HttpResponse& r : all) ASSERT_EQ(r.delivery, Delivery::answered) << r.error;
  EXPECT_GE(server.connections(), 2);
  EXPECT_EQ(client.figures(pool)->goaways, 1u);
  EXPECT_GT(client.figures(pool)->moved, 0u);
}

TEST_F(H2ClientTest, CallsWhatAGoawayCoversAndNobodyAnsweredMaybeSent) {
  H2Server server([&](H2ServerConnection& c, const H2Request& r) {
    if (c.number > 1) return c.answer(r.stream, 200);
    c.goaway(r.stream, NGHTTP2_INTERNAL_ERROR, R"({"reason":"Shutdown"})");
    c.close_after_writing();
  });
  const HttpResponse r = ask(pool_to(server.origin()));
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_THAT(r.error, HasSubstr("Shutdown"));
}

TEST_F(H2ClientTest, CallsAResetAfterTheRequestMaybeSent) {
  H2Server server([](H2ServerConnection& c, const H2Request& r) { c.reset(r.stream, NGHTTP2_INTERNAL_ERROR); });
  const HttpResponse r = ask(pool_to(server.origin()));
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_EQ(r.fault, Fault::io);
  EXPECT_THAT(r.error, HasSubstr("INTERNAL_ERROR"));
}

TEST_F(H2ClientTest, CallsALostConnectionMaybeSentForWhatLeftAndGoesOnWithANewOne) {
  H2Server server([](H2ServerConnection& c, const H2Request& r) {
    if (c.number == 1 && c.requests == 2) return c.cut();
    c.answer(r.stream, 200);
  });
  const uint64_t pool = pool_to(server.origin());
  EXPECT_EQ(ask(pool).status, 200);
  EXPECT_EQ(ask(pool).delivery, Delivery::maybe_sent);
  EXPECT_EQ(ask(pool).status, 200);
  EXPECT_EQ(client.figures(pool)->connections_lost, 1u);
}

TEST_F(H2ClientTest, EndsEverythingOnceWhenTheServerClosesItsSideOnly) {
  H2Server server([](H2ServerConnection& c, const H2Request& r) {
    if (c.number == 1 && c.requests == 5) return c.half_close();
    if (c.number == 1 && c.requests > 5) return;
    c.answer(r.stream, 200);
  });
  const uint64_t pool = pool_to(server.origin());
  EXPECT_EQ(ask(pool).status, 200);
  for (int i = 0; i < 200; ++i) send(pool, "/" + std::to_string(i));
  const std::vector<HttpResponse> all = answers.wait(200);
  EXPECT_EQ(count(all, Delivery::answered) + count(all, Delivery::maybe_sent), 200u);
  const std::vector<std::string> seen = server.seen();
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), seen.size()) << "none is sent twice";
}

TEST_F(H2ClientTest, CallsASilentVendorMaybeSentInTime) {
  H2Server server([](H2ServerConnection&, const H2Request&) {});
  HttpPoolOptions options = patient();
  options.request_timeout_ms = 150;
  const uint64_t pool = pool_to(server.origin(), options);
  HttpResponse r = ask(pool);
  while (r.delivery == Delivery::not_sent) r = ask(pool);  // a busy machine may need longer to send it
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_EQ(r.fault, Fault::timeout);
}

TEST_F(H2ClientTest, LeavesAConnectionThatAnswersNoPings) {
  H2Server server([](H2ServerConnection& c, const H2Request& r) {
    c.answer_pings(c.number > 1);
    if (c.number > 1 || c.requests == 1) c.answer(r.stream, 200);
  });
  HttpPoolOptions options = patient();
  options.ping_interval_ms = 60;
  const uint64_t pool = pool_to(server.origin(), options);
  while (server.connections() <= 1) {  // on the first one only the first request is answered
    const HttpResponse r = ask(pool);
    if (r.delivery == Delivery::answered) continue;
    EXPECT_EQ(r.delivery, Delivery::maybe_sent);
    EXPECT_EQ(r.fault, Fault::timeout);
    EXPECT_THAT(r.error, HasSubstr("PING"));
    break;
  }
  EXPECT_GE(client.figures(pool)->lost_pings, 1u);
  EXPECT_GE(server.pings(), 1);
  while (ask(pool).status != 200) {  // on a new one, as soon as its PINGs are answered in time
  }
}

TEST_F(H2ClientTest, KeepsAQuietConnectionAliveByPings) {
  H2ClientOptions calm = quick();
  calm.timing.ping_patience = 60s;
  H2Client client(clock, calm);
  H2Server server(kAnswer200);
  HttpPoolOptions options = patient();
  options.origin = server.origin();
  options.ping_interval_ms = 20;
  const uint64_t pool = *client.open_pool(options);
  for (int i = 0; i < 2; ++i) {
    Answers one;
    ASSERT_TRUE(client.send(pool, {}, one.next()));
    EXPECT_EQ(one.wait(1).at(0).status, 200);
    while (server.pings() < 5) std::this_thread::yield();
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(H2ClientTest, ClosesAnIdleConnectionAndMakesANewOneWhenNeeded) {
  H2Server server(kAnswer200);
  HttpPoolOptions options = patient();
  options.idle_timeout_ms = 30;
  const uint64_t pool = pool_to(server.origin(), options);
  ask(pool);
  while (client.figures(pool)->connections != 0) std::this_thread::yield();
  EXPECT_EQ(ask(pool).status, 200);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(client.figures(pool)->connections_lost, 0u);
}

TEST_F(H2ClientTest, OpensAnotherConnectionWhenAllStreamsStayBusyAndNotMoreThanAllowed) {
  std::latch go(1);
  H2Server server(
      [&](H2ServerConnection& c, const H2Request& r) {
        go.wait();
        c.answer(r.stream, 200);
      },
      {.max_streams = 2, .certificate = {}});
  HttpPoolOptions options = patient();
  options.max_connections = 3;
  const uint64_t pool = pool_to(server.origin(), options);
  for (int i = 0; i < 100; ++i) send(pool);
  while (client.figures(pool)->connections < 3) std::this_thread::yield();
  go.count_down();
  EXPECT_EQ(count(answers.wait(100), Delivery::answered), 100u);
  EXPECT_EQ(server.connections(), 3);
  EXPECT_LE(server.most_streams(), 2);
}

TEST_F(H2ClientTest, LetsAConnectionGoWhenFewerCarryTheLoadThoughAllAreInUse) {
  std::latch go(1);
  H2Server server(
      [&](H2ServerConnection& c, const H2Request& r) {
        go.wait();
        c.answer(r.stream, 200);
      },
      {.max_streams = 4, .certificate = {}});
  HttpPoolOptions options = patient();
  options.max_connections = 3;
  options.idle_timeout_ms = 300;
  const uint64_t pool = pool_to(server.origin(), options);
  for (int i = 0; i < 100; ++i) send(pool);
  while (client.figures(pool)->connections < 3) std::this_thread::yield();
  go.count_down();
  answers.wait(100);
  // Three at a time keep three connections from being idle, and two could do it.
  while (client.figures(pool)->connections > 2) {
    Answers three;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.send(pool, {}, three.next()));
    ASSERT_EQ(count(three.wait(3), Delivery::answered), 3u);
  }
  EXPECT_EQ(client.figures(pool)->connections_lost, 0u);
}

TEST_F(H2ClientTest, TakesRequestsToANewConnectionWhenTheOldOneIsOfAge) {
  H2ClientOptions options = quick();
  options.timing.max_age = 50ms;
  H2Client short_lived(clock, options);
  H2Server server(kAnswer200);
  HttpPoolOptions pool_options = patient();
  pool_options.origin = server.origin();
  const uint64_t pool = *short_lived.open_pool(pool_options);
  while (server.connections() < 3) {
    Answers one;
    ASSERT_TRUE(short_lived.send(pool, {}, one.next()));
    ASSERT_EQ(one.wait(1).at(0).status, 200);
  }
}

TEST_F(H2ClientTest, RefusesAtOnceWhileItWaitsToConnectAgain) {
  std::string nobody;
  {
    H2Server server(kAnswer200);
    nobody = server.origin();
  }
  const uint64_t pool = pool_to(nobody);
  for (int i = 0; i < 50; ++i) {
    const HttpResponse r = ask(pool);
    EXPECT_EQ(r.delivery, Delivery::not_sent);
    EXPECT_EQ(r.fault, Fault::io);
    EXPECT_THAT(r.error, HasSubstr("cannot connect"));
  }
  EXPECT_LT(client.figures(pool)->connects, 10u) << "50 requests, few attempts";
}

TEST_F(H2ClientTest, WaitsLongerEachTimeAlsoForATrustedCertificateThatCannotBeRead) {
  HttpPoolOptions options = patient();
  options.ca_file = "/no/such/file.pem";
  const uint64_t pool = pool_to("https://127.0.0.1:9", options);
  for (int i = 0; i < 50; ++i) EXPECT_THAT(ask(pool).error, HasSubstr("/no/such/file.pem"));
  EXPECT_LT(client.figures(pool)->connect_failures, 10u) << "50 requests, few attempts";
}

TEST_F(H2ClientTest, WaitsAsAfterARefusedConnectWhenTheServerSaysGoawayBeforeItHasAnsweredAnything) {
  H2Server server(kAnswer200, {.certificate = {}, .greeting = [](H2ServerConnection& c) {
                                 c.goaway(0, NGHTTP2_ENHANCE_YOUR_CALM, "not now");
                                 c.close_after_writing();
                               }});
  H2ClientOptions calm = quick();
  calm.timing.backoff_first = calm.timing.backoff_most = 1h;
  H2Client client(clock, calm);
  const uint64_t pool = pool_to(client, server.origin());
  for (int i = 0; i < 20; ++i) {
    const HttpResponse r = ask(client, pool);
    EXPECT_EQ(r.delivery, Delivery::not_sent);
    EXPECT_THAT(r.error, HasSubstr("ENHANCE_YOUR_CALM not now"));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(H2ClientTest, WaitsAlsoForAServerThatCutsEveryConnectionAtItsFirstRequest) {
  H2Server server([](H2ServerConnection& c, const H2Request&) { c.cut(); });
  H2ClientOptions calm = quick();
  calm.timing.backoff_first = calm.timing.backoff_most = 1h;
  H2Client client(clock, calm);
  const uint64_t pool = pool_to(client, server.origin());
  for (const Delivery expected : {Delivery::maybe_sent, Delivery::not_sent, Delivery::not_sent})
    EXPECT_EQ(ask(client, pool).delivery, expected);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(H2ClientTest, ForgetsTheFailuresOnceARequestHasBeenAnswered) {
  // Every other connection is turned away. Waits that only grew would take a quarter of an hour at the 20th.
  H2Server server(
      [](H2ServerConnection& c, const H2Request& r) {
        c.answer(r.stream, 200);
        c.goaway(r.stream);
        c.close_after_writing();
      },
      {.certificate = {}, .greeting = [](H2ServerConnection& c) {
         if (c.number % 2 == 0) return;
         c.goaway(0);
         c.close_after_writing();
       }});
  H2ClientOptions eager = quick();
  eager.timing.backoff_first = 1ms;
  eager.timing.backoff_most = 1h;
  H2Client client(clock, eager);
  const uint64_t pool = pool_to(client, server.origin());
  while (server.connections() < 40) EXPECT_NE(ask(client, pool).delivery, Delivery::maybe_sent);
  EXPECT_EQ(client.figures(pool)->connect_failures, 20u);
}

TEST_F(H2ClientTest, GivesUpOnAServerThatNeverFinishesTheHandshake) {
  // Takes the connection and says nothing: no SETTINGS come.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  listen(listener, 8);
  socklen_t length = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  HttpPoolOptions options = patient();
  options.connect_timeout_ms = 100;
  const HttpResponse r = ask(pool_to("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)), options));
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, HasSubstr("within 100 ms"));
  close(listener);
}

TEST_F(H2ClientTest, FailsAnAnswerThatIsTooLong) {
  H2Server server([](H2ServerConnection& c, const H2Request& r) { c.answer(r.stream, 200, std::string(5000, 'x')); });
  HttpPoolOptions options = patient();
  options.max_body_bytes = 1000;
  const HttpResponse r = ask(pool_to(server.origin(), options));
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_THAT(r.error, HasSubstr("longer than 1000 bytes"));
}

TEST_F(H2ClientTest, CancelTellsWhetherTheRequestHadLeft) {
  std::atomic<bool> arrived{false};
  H2Server server([&](H2ServerConnection&, const H2Request&) { arrived = true; },
                  {.max_streams = 1, .certificate = {}});
  HttpPoolOptions options = patient();
  options.max_connections = 1;
  const uint64_t pool = pool_to(server.origin(), options);
  send(pool, "/", 1);
  while (!arrived) std::this_thread::yield();
  send(pool, "/", 2);
  client.cancel(pool, 2);
  HttpResponse waiting = answers.wait(1).at(0);
  EXPECT_EQ(waiting.cookie, 2u);
  EXPECT_EQ(waiting.delivery, Delivery::not_sent);
  EXPECT_EQ(waiting.fault, Fault::closed);
  client.cancel(pool, 1);
  EXPECT_EQ(answers.wait(2).at(0).delivery, Delivery::maybe_sent);
}

TEST_F(H2ClientTest, EndsWhatIsOpenWhenThePoolCloses) {
  std::atomic<bool> arrived{false};
  H2Server server([&](H2ServerConnection&, const H2Request&) { arrived = true; },
                  {.max_streams = 1, .certificate = {}});
  HttpPoolOptions options = patient();
  options.max_connections = 1;
  const uint64_t pool = pool_to(server.origin(), options);
  for (int i = 0; i < 3; ++i) send(pool);
  while (!arrived) std::this_thread::yield();
  client.close_pool(pool);
  const std::vector<HttpResponse> all = answers.wait(3);
  EXPECT_EQ(count(all, Delivery::maybe_sent), 1u);
  EXPECT_EQ(count(all, Delivery::not_sent), 2u);
  for (const HttpResponse& r : all) EXPECT_EQ(r.fault, Fault::closed);
  EXPECT_FALSE(client.send(pool, {}, answers.next()));
}

TEST_F(H2ClientTest, RefusesMoreThanItsQueueHolds) {
  H2Server server([](H2ServerConnection&, const H2Request&) {}, {.max_streams = 1, .certificate = {}});
  HttpPoolOptions options = patient();
  options.origin = server.origin();
  options.max_queued = 5;
  options.max_connections = 1;
  const uint64_t pool = *client.open_pool(options);
  size_t refused = 0, taken = 0;
  for (int i = 0; i < 200; ++i) {
    const Result<void> sent = client.send(pool, {}, answers.next());
    refused += !sent && sent.error().code == Code::overloaded;
    taken += static_cast<bool>(sent);
  }
  EXPECT_GT(refused, 0u);
  client.close_pool(pool);
  answers.wait(taken);
}

}  // namespace
}  // namespace godwit::net
