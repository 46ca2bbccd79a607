// The client against a real server on loopback: what it says of a request's fate must agree with what the server saw.
#include "broker/net/curl_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "broker/net/testing/script_server.hpp"

namespace godwit::net {
namespace {

using ::testing::HasSubstr;
using testing::ScriptConnection;
using testing::ScriptServer;
using Fault = HttpResponse::Fault;

// Time-outs that a busy machine does not reach; a test that needs one to end sets it.
HttpPoolOptions patient() {
  HttpPoolOptions options;
  options.connect_timeout_ms = 20'000;
  options.request_timeout_ms = 30'000;
  return options;
}

class CurlClientTest : public ::testing::Test {
 protected:
  uint64_t pool_to(const std::string& origin, HttpPoolOptions options = patient()) {
    options.origin = origin;
    return *client.open_pool(std::move(options));
  }

  std::future<HttpResponse> send(uint64_t pool, HttpRequest request) {
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    std::future<HttpResponse> future = promise->get_future();
    const Result<void> sent =
        client.send(pool, std::move(request), [promise](HttpResponse r) { promise->set_value(std::move(r)); });
    EXPECT_TRUE(sent) << sent.error().message;
    return future;
  }

  static HttpRequest post(std::string body, std::string path = "/") {
    HttpRequest request;
    request.path = std::move(path);
    request.body = std::move(body);
    return request;
  }

  SystemClock clock;
  CurlClient client{clock};
};

std::string unused_origin() {
  ScriptServer server([](ScriptConnection&) {});
  return server.origin();  // closed when this returns
}

TEST_F(CurlClientTest, HandsOverTheAnswerWithStatusHeadersAndBody) {
  std::string seen;
  ScriptServer server([&](ScriptConnection& c) {
    seen = c.read_request();
    c.answer(429, "slow down", "Retry-After: 7\r\nX-Two:  b \r\n");
  });
  HttpRequest request = post("a=b", "/v3/message?x=1");
  request.headers = {{"authorization", "key=FAKE"}, {"content-type", "application/x-www-form-urlencoded"}};
  request.cookie = 5;
  const HttpResponse r = send(pool_to(server.origin()), std::move(request)).get();
  EXPECT_EQ(r.delivery, Delivery::answered);
  EXPECT_EQ(r.fault, Fault::none);
  EXPECT_EQ(r.status, 429);
  EXPECT_EQ(r.body, "slow down");
  EXPECT_EQ(r.cookie, 5u);
  EXPECT_GT(r.elapsed_ns, 0);
  EXPECT_THAT(r.headers, ::testing::Contains(std::pair<std::string, std::string>("retry-after", "7")));
  EXPECT_THAT(r.headers, ::testing::Contains(std::pair<std::string, std::string>("x-two", "b")));
  EXPECT_THAT(seen, HasSubstr("POST /v3/message?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("authorization: key=FAKE\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\n\r\na=b"));
  EXPECT_THAT(seen, ::testing::Not(HasSubstr("Expect")));
}

TEST_F(CurlClientTest, KeepsTheConnectionForTheNextRequest) {
  ScriptServer server([](ScriptConnection& c) {
    while (!c.read_request().empty()) c.answer(200, "ok");
  });
  const uint64_t pool = pool_to(server.origin());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send(pool, post("x")).get().status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlClientTest, DoesNotShareConnectionsBetweenPools) {
  ScriptServer server([](ScriptConnection& c) {
    while (!c.read_request().empty()) c.answer(200, "ok");
  });
  send(pool_to(server.origin()), post("x")).get();
  send(pool_to(server.origin()), post("x")).get();
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlClientTest, CallsARefusedConnectionNotSent) {
  const HttpResponse r = send(pool_to(unused_origin()), post("x")).get();
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_EQ(r.fault, Fault::io);
  EXPECT_THAT(r.error, HasSubstr("connect"));
  EXPECT_EQ(r.status, 0);
}

TEST_F(CurlClientTest, CallsAnUnknownHostNotSent) {
  HttpPoolOptions options = patient();
  options.connect_timeout_ms = 300;
  const HttpResponse r = send(pool_to("http://no-such-host.invalid", options), post("x")).get();
  EXPECT_EQ(r.delivery, Delivery::not_sent);
}

TEST_F(CurlClientTest, CallsAFailedTlsHandshakeNotSent) {
  ScriptServer server([](ScriptConnection& c) { c.write("this is not TLS\r\n\r\n"); });
  std::string origin = server.origin();
  origin.replace(0, 4, "https");
  const HttpResponse r = send(pool_to(origin), post("x")).get();
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_EQ(r.fault, Fault::io);
}

TEST_F(CurlClientTest, CallsASilentVendorMaybeSent) {
  ScriptServer server([](ScriptConnection& c) {
    c.read_request();
    c.wait_for_close();
  });
  HttpPoolOptions options = patient();
  options.request_timeout_ms = 150;
  const uint64_t pool = pool_to(server.origin(), options);
  HttpResponse r = send(pool, post("x")).get();
  while (r.delivery == Delivery::not_sent)
    r = send(pool, post("x")).get();  // a busy machine may need longer to send it
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_EQ(r.fault, Fault::timeout);
  EXPECT_EQ(r.status, 0);
}

TEST_F(CurlClientTest, HonoursTheDeadlineOfTheRequest) {
  ScriptServer server([](ScriptConnection& c) { c.wait_for_close(); });
  HttpRequest request = post("x");
  request.deadline_ns = clock.mono_ns() + 100 * kNsPerMs;
  const HttpResponse r = send(pool_to(server.origin()), std::move(request)).get();
  EXPECT_EQ(r.fault, Fault::timeout);
  EXPECT_LT(r.elapsed_ns, 20 * kNsPerSecond) << "the pool's own time-out is 30 s";
}

TEST_F(CurlClientTest, CallsAResetAfterTheRequestMaybeSent) {
  ScriptServer server([](ScriptConnection& c) {
    c.read_request();
    c.reset();
  });
  const HttpResponse r = send(pool_to(server.origin()), post("x")).get();
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_EQ(r.fault, Fault::io);
}

// libcurl repeats a request on a fresh connection when a kept one dies without an answer. A vendor that acted on the
// first one and then died would push twice.
TEST_F(CurlClientTest, NeverRepeatsARequestThatAKeptConnectionSwallowed) {
  std::atomic<int> arrivals{0};
  ScriptServer server([&](ScriptConnection& c) {
    if (c.read_request().empty()) return;
    c.answer(200, "ok");
    if (!c.read_request().empty()) ++arrivals;  // acted upon, never answered
  });
  const uint64_t pool = pool_to(server.origin());
  EXPECT_EQ(send(pool, post("first")).get().status, 200);
  const HttpResponse r = send(pool, post("second")).get();
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_THAT(r.error, HasSubstr("without an answer"));
  EXPECT_EQ(arrivals, 1);
}

TEST_F(CurlClientTest, CallsATruncatedAnswerMaybeSent) {
  ScriptServer server([](ScriptConnection& c) {
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  });
  const HttpResponse r = send(pool_to(server.origin()), post("x")).get();
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_TRUE(r.body.empty());
}

TEST_F(CurlClientTest, StopsReadingBodiesAndHeadersAtTheirCaps) {
  ScriptServer big_body([](ScriptConnection& c) {
    c.read_request();
    c.answer(200, std::string(2000, 'x'));
  });
  ScriptServer endless_header([](ScriptConnection& c) {
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 200; ++i) c.write("X-Fill: " + std::string(90, 'y') + "\r\n");
  });
  HttpPoolOptions options = patient();
  options.max_body_bytes = 1000;
  options.max_header_bytes = 4096;
  HttpResponse r = send(pool_to(big_body.origin(), options), post("x")).get();
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_THAT(r.error, HasSubstr("body is longer than 1000 bytes"));
  r = send(pool_to(endless_header.origin(), options), post("x")).get();
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_THAT(r.error, HasSubstr("header is longer than 4096 bytes"));
}

TEST_F(CurlClientTest, QueuesBeyondItsConnectionsAndRefusesBeyondItsQueue) {
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  ScriptServer server([gone](ScriptConnection& c) {
    while (!c.read_request().empty()) {
      gone.wait();
      c.answer(200, "ok");
    }
  });
  HttpPoolOptions options = patient();
  options.max_connections = 1;
  options.max_queued = 1;
  const uint64_t pool = pool_to(server.origin(), options);
  EXPECT_EQ(client.slots(pool), 1u);
  auto first = send(pool, post("1"));
  auto second = send(pool, post("2"));
  EXPECT_EQ(client.slots(pool), 0u);
  const Result<void> third = client.send(pool, post("3"), [](HttpResponse) { FAIL() << "it was refused"; });
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Code::overloaded);
  go.set_value();
  EXPECT_EQ(first.get().status, 200);
  EXPECT_EQ(second.get().status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlClientTest, CallsWhatExpiredInTheQueueNotSent) {
  std::promise<void> arrived;
  ScriptServer server([&](ScriptConnection& c) {
    c.read_request();
    arrived.set_value();
    c.wait_for_close();
  });
  HttpPoolOptions options = patient();
  options.max_connections = 1;
  const uint64_t pool = pool_to(server.origin(), options);
  auto first = send(pool, post("1"));
  arrived.get_future().wait();
  HttpRequest request = post("2");
  request.deadline_ns = clock.mono_ns() + 100 * kNsPerMs;
  const HttpResponse r = send(pool, std::move(request)).get();
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_EQ(r.fault, Fault::timeout);
  client.close_pool(pool);
  EXPECT_EQ(first.get().delivery, Delivery::maybe_sent);
}

TEST_F(CurlClientTest, TellsTheTruthAboutWhatWasCancelled) {
  std::promise<void> arrived;
  ScriptServer server([&](ScriptConnection& c) {
    c.read_request();
    arrived.set_value();
    c.wait_for_close();
  });
  HttpPoolOptions options = patient();
  options.max_connections = 1;
  const uint64_t pool = pool_to(server.origin(), options);
  HttpRequest out = post("1"), waiting = post("2");
  out.cookie = 1;
  waiting.cookie = 2;
  auto first = send(pool, std::move(out));
  auto second = send(pool, std::move(waiting));
  arrived.get_future().wait();
  client.cancel(pool, 2);
  HttpResponse r = second.get();
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_EQ(r.fault, Fault::closed);
  client.cancel(pool, 1);
  r = first.get();
  EXPECT_EQ(r.delivery, Delivery::maybe_sent);
  EXPECT_EQ(r.fault, Fault::closed);
}

TEST_F(CurlClientTest, EndsEverythingOnceWhenThePoolOrTheClientCloses) {
  std::atomic<int> arrived{0};
  ScriptServer server([&](ScriptConnection& c) {
    if (!c.read_request().empty()) ++arrived;
    c.wait_for_close();
  });
  std::atomic<int> ends{0};
  {
    CurlClient own(clock);
    HttpPoolOptions options = patient();
    options.origin = server.origin();
    options.max_connections = 2;
    const uint64_t closed = *own.open_pool(options), open = *own.open_pool(options);
    for (const uint64_t pool : {closed, open})
      for (int i = 0; i < 4; ++i)
        EXPECT_TRUE(own.send(pool, post("x"), [&](HttpResponse r) {
          EXPECT_EQ(r.fault, Fault::closed);
          ++ends;
        }));
    own.close_pool(closed);
    const Result<void> late = own.send(closed, post("x"), [](HttpResponse) { FAIL(); });
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::not_found);
  }
  EXPECT_EQ(ends, 8);
}

TEST_F(CurlClientTest, MakesNewConnectionsWhenTheTlsIdentityChanges) {
  ScriptServer server([](ScriptConnection& c) {
    while (!c.read_request().empty()) c.answer(200, "ok");
  });
  std::atomic<uint64_t> version{1};
  HttpPoolOptions options = patient();
  options.identity = [&] { return TlsIdentity{"", "", version.load()}; };
  const uint64_t pool = pool_to(server.origin(), options);
  send(pool, post("x")).get();
  send(pool, post("x")).get();
  EXPECT_EQ(server.connections(), 1);
  version = 2;
  send(pool, post("x")).get();
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlClientTest, SpeaksNoHttp2) {
  HttpPoolOptions options = patient();
  options.origin = "https://api.example.com";
  options.versions = 2;
  const auto pool = client.open_pool(options);
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error().code, Code::unsupported);
}

TEST_F(CurlClientTest, CarriesManyRequestsFromManyThreads) {
  ScriptServer server([](ScriptConnection& c) {
    while (!c.read_request().empty()) c.answer(200, "ok");
  });
  HttpPoolOptions options = patient();
  options.max_connections = 4;
  const uint64_t pool = pool_to(server.origin(), options);
  std::atomic<int> ok{0};
  std::promise<void> all;
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t)
    senders.emplace_back([&] {
      for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(client.send(pool, post("x"), [&](HttpResponse r) {
          EXPECT_EQ(r.status, 200) << r.error;
          if (++ok == 400) all.set_value();
        }));
    });
  for (std::thread& t : senders) t.join();
  all.get_future().wait();
  EXPECT_LE(server.connections(), 4);
}

}  // namespace
}  // namespace godwit::net
