// A name server that does not answer must cost its own vendor a time-out, and the others nothing. libcurl's default is
// to block its caller until the resolver's thread has ended.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <future>
#include <map>
#include <mutex>
#include <string>

#include "broker/net/testing/h2_server.hpp"
#include "broker/net/testing/script_server.hpp"
#include "broker/net/vendor_client.hpp"

namespace {

// Never destroyed: look-ups that nobody waits for may still stand in them when the program ends.
struct Gate {
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  std::promise<void> entered;
};
Gate& gate(const char* name) {
  static auto* const gates = new std::map<std::string, Gate>;
  static auto* const mutex = new std::mutex;
  std::lock_guard lock(*mutex);
  return (*gates)[name];
}

}  // namespace

// Stands before the C library's for the whole test program, libcurl included: one name hangs, the rest is passed on.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node, const char* service,
                                                                  const addrinfo* hints, addrinfo** result) {
  const bool literal = hints && (hints->ai_flags & AI_NUMERICHOST);
  if (node && !literal && std::string_view(node).ends_with(".hangs.test")) {
    Gate& g = gate(node);
    g.entered.set_value();
    g.opened.wait();
    return EAI_FAIL;
  }
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, result);
}

namespace godwit::net {
namespace {

// With HTTP/2 the name is asked for, given up, and the same thread serves the others all the time.
void a_hanging_look_up_costs_only_its_own_vendor(uint32_t versions, const std::string& name,
                                                 const std::string& fast_origin) {
  SystemClock clock;
  VendorClient client(clock);
  const auto ask = [&](const std::string& origin, uint32_t connect_timeout_ms) {
    HttpPoolOptions options;
    options.origin = origin;
    options.versions = versions;
    options.connect_timeout_ms = connect_timeout_ms;
    options.request_timeout_ms = 30'000;
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    EXPECT_TRUE(
        client.send(*client.open_pool(options), {}, [promise](HttpResponse r) { promise->set_value(std::move(r)); }));
    return promise->get_future();
  };
  std::future<HttpResponse> slow = ask("http://" + name, 200);
  gate(name.c_str()).entered.get_future().wait();
  EXPECT_EQ(ask(fast_origin, 20'000).get().status, 200) << "while the look-up hangs";

  ASSERT_EQ(slow.wait_for(std::chrono::seconds(20)), std::future_status::ready)
      << "the time-out waits for the resolver";
  const HttpResponse r = slow.get();
  EXPECT_EQ(r.delivery, Delivery::not_sent);
  EXPECT_EQ(r.fault, HttpResponse::Fault::timeout);
  EXPECT_EQ(ask(fast_origin, 20'000).get().status, 200) << "after it was given up";
  gate(name.c_str()).open.set_value();
}

TEST(SlowDns, CostsItsOwnVendorATimeOutAndTheOthersNothing) {
  testing::ScriptServer server([](testing::ScriptConnection& c) {
    while (!c.read_request().empty()) c.answer(200, "ok");
  });
  a_hanging_look_up_costs_only_its_own_vendor(1, "one.hangs.test", server.origin());
}

TEST(SlowDns, TheSameOverHttp2) {
  testing::H2Server server(
      [](testing::H2ServerConnection& c, const testing::H2Request& r) { c.answer(r.stream, 200); });
  a_hanging_look_up_costs_only_its_own_vendor(2, "two.hangs.test", server.origin());
}

}  // namespace
}  // namespace godwit::net
