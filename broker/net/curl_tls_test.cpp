// Whom the client trusts, and what it shows of itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "broker/net/curl_client.hpp"
#include "broker/net/testing/tls_server.hpp"

namespace godwit::net {
namespace {

using testing::make_certificate;
using testing::TlsServer;

class CurlTlsTest : public ::testing::Test {
 protected:
  CurlTlsTest() { std::ofstream(ca_file) << server_certificate.certificate_pem; }
  ~CurlTlsTest() override { std::filesystem::remove(ca_file); }

  HttpPoolOptions options_for(const std::string& origin) const {
    HttpPoolOptions options;
    options.origin = origin;
    options.ca_file = ca_file;
    options.connect_timeout_ms = 20'000;  // a handshake under a sanitizer on a busy machine
    options.request_timeout_ms = 30'000;
    return options;
  }
  HttpResponse ask(uint64_t pool) {
    std::promise<HttpResponse> promise;
    EXPECT_TRUE(client.send(pool, {}, [&](HttpResponse r) { promise.set_value(std::move(r)); }));
    return promise.get_future().get();
  }
  HttpResponse ask(const HttpPoolOptions& options) { return ask(*client.open_pool(options)); }

  const testing::TestCertificate server_certificate = make_certificate("api.vendor.test");
  const std::string ca_file =
      (std::filesystem::temp_directory_path() / ("godwit-ca-" + std::to_string(getpid()) + ".pem")).string();
  TlsServer server{server_certificate};
  SystemClock clock;
  CurlClient client{clock};
};

TEST_F(CurlTlsTest, TrustsTheConfiguredCa) {
  const HttpResponse r = ask(options_for(server.origin()));
  EXPECT_EQ(r.status, 200) << r.error;
  EXPECT_EQ(r.body, "none");
}

TEST_F(CurlTlsTest, SendsNothingToAServerItDoesNotTrust) {
  HttpPoolOptions options = options_for(server.origin());
  options.ca_file.clear();  // the system's do not know it
  HttpResponse r = ask(options);
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, ::testing::HasSubstr("certificate"));

  r = ask(options_for(server.origin("localhost")));  // trusted, but not for this name
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, ::testing::HasSubstr("localhost"));

  options.ca_file = "/no/such/file.pem";
  r = ask(options);
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_THAT(r.error, ::testing::HasSubstr("/no/such/file.pem"));
}

TEST_F(CurlTlsTest, VerifiesAnotherNameThanTheOneItConnectsTo) {
  HttpPoolOptions options = options_for(server.origin("localhost"));
  options.server_name = "api.vendor.test";
  EXPECT_EQ(ask(options).status, 200);
}

TEST_F(CurlTlsTest, ShowsTheIdentityOfItsPoolAndTheNewOneAfterARotation) {
  const testing::TestCertificate one = make_certificate("one"), two = make_certificate("two");
  std::atomic<bool> rotated{false};
  HttpPoolOptions options = options_for(server.origin());
  options.identity = [&] {
    return rotated ? TlsIdentity{two.certificate_pem, two.key_pem, 2}
                   : TlsIdentity{one.certificate_pem, one.key_pem, 1};
  };
  const uint64_t pool = *client.open_pool(options);
  EXPECT_EQ(ask(pool).body, "one");
  rotated = true;
  EXPECT_EQ(ask(pool).body, "two");
  EXPECT_EQ(ask(options_for(server.origin())).body, "none") << "another pool shows nothing";

  options.identity = [&] { return TlsIdentity{one.certificate_pem + one.key_pem, "", 1}; };  // both in one file
  EXPECT_EQ(ask(options).body, "one");
}

}  // namespace
}  // namespace godwit::net
