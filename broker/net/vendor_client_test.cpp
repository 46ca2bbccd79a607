// Whom the clients trust over HTTP/2, what they show of themselves, which version is spoken, and the way through a
// proxy.
#include "broker/net/vendor_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "broker/net/header_memory.hpp"
#include "broker/net/testing/h2_server.hpp"
#include "broker/net/testing/script_server.hpp"

namespace godwit::net {
namespace {

using testing::H2Request;
using testing::H2Server;
using testing::H2ServerConnection;
using ::testing::HasSubstr;
using testing::make_certificate;
using namespace std::chrono_literals;

HttpResponse ask(HttpClient& client, uint64_t pool) {
  std::promise<HttpResponse> promise;
  HttpRequest request;
  request.body = "hello";
  EXPECT_TRUE(client.send(pool, std::move(request), [&](HttpResponse r) { promise.set_value(std::move(r)); }));
  return promise.get_future().get();
}

class VendorClientTest : public ::testing::Test {
 protected:
  VendorClientTest() { std::ofstream(ca_file) << certificate.certificate_pem; }
  ~VendorClientTest() override { std::filesystem::remove(ca_file); }

  HttpPoolOptions options_for(const std::string& origin) const {
    HttpPoolOptions options;
    options.origin = origin;
    options.ca_file = ca_file;
    options.connect_timeout_ms = 20'000;  // a handshake under a sanitizer on a busy machine
    options.request_timeout_ms = 30'000;
    return options;
  }
  HttpResponse ask(const HttpPoolOptions& options) { return net::ask(client, *client.open_pool(options)); }
  static VendorClientOptions quick() {
    VendorClientOptions options;
    options.timing.identity_check = 5ms;
    return options;
  }

  const testing::TestCertificate certificate = make_certificate("api.vendor.test");
  const std::string ca_file =
      (std::filesystem::temp_directory_path() / ("godwit-h2-ca-" + std::to_string(getpid()) + ".pem")).string();
  H2Server server{[](H2ServerConnection& c, const H2Request& r) { c.answer(r.stream, 200, c.client); },
                  {.max_streams = 100, .certificate = certificate}};
  SystemClock clock;
  VendorClient client{clock, quick()};
};

TEST_F(VendorClientTest, SpeaksHttp2OverTlsWithAServerThatKnowsIt) {
  const HttpResponse r = ask(options_for(server.origin()));
  EXPECT_EQ(r.status, 200) << r.error;
  EXPECT_EQ(r.version, 2);
  EXPECT_EQ(r.body, "none");
}

TEST_F(VendorClientTest, SendsNothingToAServerItDoesNotTrust) {
  HttpPoolOptions options = options_for(server.origin());
  options.versions = 2;
  options.ca_file.clear();  // the system's do not know it
  HttpResponse r = ask(options);
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, HasSubstr("self-signed certificate"));

  r = ask(options_for(server.origin("localhost")));  // trusted, but not for this name
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, HasSubstr("hostname mismatch"));
  EXPECT_THAT(r.error, HasSubstr("localhost"));

  options.ca_file = "/no/such/file.pem";
  r = ask(options);
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, HasSubstr("/no/such/file.pem"));
  EXPECT_TRUE(server.seen().empty()) << "not one request reached it";
}

TEST_F(VendorClientTest, VerifiesAnotherNameThanTheOneItConnectsTo) {
  HttpPoolOptions options = options_for(server.origin("localhost"));
  options.server_name = "api.vendor.test";
  EXPECT_EQ(ask(options).status, 200);
}

TEST_F(VendorClientTest, ShowsTheNewCertificateAfterARotationWithoutLosingARequest) {
  const testing::TestCertificate one = make_certificate("one"), two = make_certificate("two");
  std::atomic<bool> rotated{false};
  HttpPoolOptions options = options_for(server.origin());
  options.identity = [&] {
    return rotated ? TlsIdentity{two.certificate_pem, two.key_pem, 2}
                   : TlsIdentity{one.certificate_pem, one.key_pem, 1};
  };
  VendorClient client(clock, quick());  // ends before what the identity refers to
  const uint64_t pool = *client.open_pool(options);
  EXPECT_EQ(net::ask(client, pool).body, "one");
  rotated = true;
  while (true) {
    const HttpResponse r = net::ask(client, pool);
    ASSERT_EQ(r.status, 200) << r.error;
    if (r.body == "two") break;
  }
  EXPECT_EQ(ask(options_for(server.origin())).body, "none") << "another pool shows nothing";

  options.identity = [&] { return TlsIdentity{one.certificate_pem, two.key_pem, 1}; };
  const HttpResponse mixed = net::ask(client, *client.open_pool(options));
  EXPECT_EQ(mixed.delivery, Delivery::not_sent);
  EXPECT_THAT(mixed.error, HasSubstr("does not belong to the client certificate"));
}

TEST_F(VendorClientTest, GoesOverToHttp1WithAServerThatKnowsNothingBetter) {
  H2Server old([](H2ServerConnection&, const H2Request&) {},
               {.max_streams = 1, .certificate = certificate, .speaks_h2 = false});
  const uint64_t pool = *client.open_pool(options_for(old.origin()));
  for (int i = 0; i < 3; ++i) {
    const HttpResponse r = net::ask(client, pool);
    EXPECT_EQ(r.body, "old") << r.error;
    EXPECT_EQ(r.version, 1);
  }
  EXPECT_LE(old.connections(), 2) << "asked by ALPN once";

  HttpPoolOptions strict = options_for(old.origin());
  strict.versions = 2;
  const HttpResponse r = ask(strict);
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, HasSubstr("does not speak HTTP/2"));
}

TEST_F(VendorClientTest, SpeaksHttp1WhereItIsAskedTo) {
  testing::ScriptServer plain([](testing::ScriptConnection& c) {
    while (!c.read_request().empty()) c.answer(200, "plain");
  });
  HttpPoolOptions options = options_for(plain.origin());
  EXPECT_EQ(ask(options).body, "plain");
  options.versions = 1;
  EXPECT_EQ(ask(options).version, 1);
}

// A proxy that asks for a password, and passes bytes on.
class ConnectProxy {
 public:
  explicit ConnectProxy(int target_port)
      : server_([this, target_port](testing::ScriptConnection& c) {
          const std::string request = c.read_request();
          {
            std::lock_guard lock(mutex_);
            requests_.push_back(request);
          }
          // user:p@s:s%
          if (request.find("Proxy-Authorization: Basic dXNlcjpwQHM6cyU=\r\n") == std::string::npos)
            return c.write("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
          c.write("HTTP/1.1 200 Connection established\r\n\r\n");
          c.tunnel_to(target_port);
        }) {}
  std::string url(const std::string& user) const {
    return "http://" + user + server_.origin().substr(std::string("http://").size());
  }
  std::vector<std::string> requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> requests_;
  testing::ScriptServer server_;
};

TEST_F(VendorClientTest, GoesThroughAProxyByConnectAndStillChecksTheVendorsName) {
  ConnectProxy proxy(server.port());
  VendorClient through(clock, {.proxy = proxy.url("user:p%40s%3As%25@"), .timing = {}});
  HttpPoolOptions options = options_for("https://api.vendor.test:" + std::to_string(server.port()));
  const HttpResponse r = net::ask(through, *through.open_pool(options));
  EXPECT_EQ(r.status, 200) << r.error;
  EXPECT_EQ(r.version, 2);
  EXPECT_THAT(proxy.requests().at(0),
              HasSubstr("CONNECT api.vendor.test:" + std::to_string(server.port()) + " HTTP/1.1"));

  VendorClient stranger(clock, {.proxy = proxy.url(""), .timing = {}});
  const HttpResponse refused = net::ask(stranger, *stranger.open_pool(options));
  EXPECT_EQ(refused.delivery, Delivery::not_sent);
  EXPECT_THAT(refused.error, HasSubstr("407"));

  options.origin = "https://other.vendor.test:" + std::to_string(server.port());
  const HttpResponse wrong = net::ask(through, *through.open_pool(options));
  EXPECT_EQ(wrong.delivery, Delivery::not_sent);
  EXPECT_THAT(wrong.error, HasSubstr("hostname mismatch"));
}

TEST(HeaderMemory, NeverIndexesSecretsAndStopsIndexingWhatChangesEachTime) {
  HeaderMemory memory;
  EXPECT_FALSE(memory.should_index("authorization", "bearer x"));
  EXPECT_TRUE(memory.should_index("apns-topic", "org.example.chat"));
  EXPECT_TRUE(memory.should_index("apns-topic", "org.example.chat"));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(memory.should_index("apns-id", "id-" + std::to_string(i)));
  for (int i = 4; i < 100; ++i) EXPECT_FALSE(memory.should_index("apns-id", "id-" + std::to_string(i)));
  EXPECT_TRUE(memory.should_index("apns-topic", "org.example.chat"));
}

TEST_F(VendorClientTest, GoesThroughAProxyOverHttp1WithTheSamePassword) {
  H2Server old([](H2ServerConnection&, const H2Request&) {},
               {.max_streams = 1, .certificate = certificate, .speaks_h2 = false});
  ConnectProxy proxy(old.port());
  VendorClient through(clock, {.proxy = proxy.url("user:p%40s%3As%25@"), .timing = {}});
  HttpPoolOptions options = options_for(old.origin());
  options.versions = 1;
  const HttpResponse r = net::ask(through, *through.open_pool(options));
  EXPECT_EQ(r.body, "old") << r.error;
  EXPECT_EQ(r.version, 1);
  EXPECT_EQ(net::ask(through, *through.open_pool(options)).body, "old");

  VendorClient stranger(clock, {.proxy = proxy.url(""), .timing = {}});
  const HttpResponse refused = net::ask(stranger, *stranger.open_pool(options));
  EXPECT_EQ(refused.delivery, Delivery::not_sent) << "the request never left";
}

}  // namespace
}  // namespace godwit::net
