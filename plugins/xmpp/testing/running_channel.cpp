#include "plugins/xmpp/testing/running_channel.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace xmpp::testing {
namespace {

const gw_channel_type* load() {
  void* library = ::dlopen(XMPP_SO, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  EXPECT_TRUE(library) << ::dlerror();
  return static_cast<const gw_entry*>(::dlsym(library, GW_ENTRY_SYMBOL_NAME))->types[0];
}

}  // namespace

RunningChannel::RunningChannel(const std::string& more) : Instance(load()) {
  host().secrets().set("the-secret", "sesame");
  const std::string config = R"({"server": ")" + server.address() +
                             R"(", "jid": "push.example", "password": "the-secret", "domain": "example.org")" + more +
                             "}";
  EXPECT_EQ(create(config), GW_OK) << diag().text();
  EXPECT_EQ(start(), GW_OK) << diag().text();
}

bool RunningChannel::wait(const std::function<bool()>& done) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    if (host().run_until(done, 0)) return true;
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

void RunningChannel::pass(uint64_t ns) {
  const uint64_t end = host().now_ns() + ns;
  host().run_until([&] { return host().now_ns() >= end; }, ns + 200'000'000);
}

// Time goes twenty times as fast as for us and no faster: the worker and its server are threads that need their own.
bool RunningChannel::wait_turning(const std::function<bool()>& done, const std::function<bool()>& may_turn) {
  using namespace std::chrono;
  auto turned = steady_clock::now();
  return wait([&] {
    if (done()) return true;
    if (steady_clock::now() - turned < milliseconds(5) || !may_turn()) return false;
    pass(100'000'000);
    turned = steady_clock::now();
    return false;
  });
}

bool RunningChannel::hears(const std::string& text) {
  const bool has = wait([&] { return server.has_heard(text); });
  EXPECT_TRUE(has) << "the server did not hear " << text << " but " << server.heard();
  return has;
}

// Time turns only while there is no connection: the channel would give it up soon, and on a busy machine "soon" is over
// before the other thread has read a byte.
void RunningChannel::await_stream() {
  EXPECT_TRUE(
      wait_turning([this] { return server.has_heard("<stream:stream "); }, [this] { return !server.is_connected(); }))
      << host().state_reason();
}

void RunningChannel::shake_hands() {
  await_stream();
  server.say(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
      "xmlns:stream='http://etherx.jabber.org/streams' from='push.example' id='s1'>");
  hears("</handshake>");
  server.forget();
  server.say("<handshake/>");
  EXPECT_TRUE(wait([this] { return host().state() == GW_STATE_READY; })) << host().state_reason();
}

void RunningChannel::confirm() {
  EXPECT_TRUE(wait([this] {
    const std::string heard = server.heard();
    const size_t ping = heard.rfind("<iq type='get' id='gwb-"), message = heard.rfind("</message>");
    if (ping == std::string::npos || (message != std::string::npos && message > ping)) return false;
    const size_t end = heard.find("</iq>", ping);
    if (end == std::string::npos) return false;
    server.say(heard.substr(ping, end + 5 - ping));  // a component's question to itself comes back
    return true;
  })) << server.heard();
}

uint64_t RunningChannel::push(const std::string& message_id, const std::string& address, ParcelSpec spec,
                              uint64_t deadline_in_s) {
  spec.message_id = message_id;
  spec.addresses = {address};
  EXPECT_EQ(submit({spec}, deadline_in_s * kSecond), GW_OK);
  return last_ticket();
}

Settled RunningChannel::outcome(uint64_t ticket) {
  EXPECT_TRUE(wait([&] { return !is_open(ticket); })) << "ticket " << ticket << " was not settled";
  const auto all = host().settled(ticket);
  return all.empty() ? Settled{} : all.front();
}

std::vector<HeardEvent> RunningChannel::heard(uint32_t kind) {
  std::vector<HeardEvent> found;
  for (HeardEvent& event : host().events())
    if (event.kind == kind) found.push_back(std::move(event));
  return found;
}

std::vector<HeardEvent> RunningChannel::wait_heard(uint32_t kind, size_t count) {
  EXPECT_TRUE(wait([&] { return heard(kind).size() >= count; })) << "heard " << heard(kind).size() << " of " << count;
  auto events = heard(kind);
  events.resize(std::max(events.size(), count));  // callers look at them, whether they came or not
  return events;
}

}  // namespace xmpp::testing
