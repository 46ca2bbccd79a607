// A name server that does not answer must cost its own vendor a time-out, and the others nothing. libcurl's default is
// to block its caller until the resolver's thread has ended.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <cstring>
#include <future>

#include "broker/net/curl_client.hpp"
#include "broker/net/testing/script_server.hpp"

namespace {

std::promise<void> resolver_gate;
std::shared_future<void> resolver_released = resolver_gate.get_future().share();
std::promise<void> resolver_entered;

}  // namespace

// Stands before the C library's for the whole test program, libcurl included: one name hangs, the rest is passed on.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node, const char* service,
                                                                  const addrinfo* hints, addrinfo** result) {
  if (node && std::strcmp(node, "hangs.test") == 0) {
    resolver_entered.set_value();
    resolver_released.wait();
    return EAI_FAIL;
  }
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, result);
}

namespace godwit::net {
namespace {

TEST(SlowDns, CostsItsOwnVendorATimeOutAndTheOthersNothing) {
  testing::ScriptServer server([](testing::ScriptConnection& c) {
    while (!c.read_request().empty()) c.answer(200, "ok");
  });
  SystemClock clock;
  CurlClient client(clock);
  const auto ask = [&](const std::string& origin) {
    HttpPoolOptions options;
    options.origin = origin;
    options.connect_timeout_ms = 200;
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    EXPECT_TRUE(
        client.send(*client.open_pool(options), {}, [promise](HttpResponse r) { promise->set_value(std::move(r)); }));
    return promise->get_future();
  };
  std::future<HttpResponse> slow = ask("http://hangs.test");
  resolver_entered.get_future().wait();
  EXPECT_EQ(ask(server.origin()).get().status, 200) << "while the look-up hangs";

  ASSERT_EQ(slow.wait_for(std::chrono::seconds(5)), std::future_status::ready) << "the time-out waits for the resolver";
  const HttpResponse r = slow.get();
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_EQ(r.fault, HttpResponse::Fault::timeout);
  EXPECT_EQ(ask(server.origin()).get().status, 200) << "after it was given up";
  resolver_gate.set_value();
}

}  // namespace
}  // namespace godwit::net
