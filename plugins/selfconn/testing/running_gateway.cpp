#include "plugins/selfconn/testing/running_gateway.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "plugins/selfconn/testing/plugin_file.hpp"

namespace selfconn::testing {

RunningGateway::RunningGateway(const std::string& config) : Instance(load_selfconn()) {
  EXPECT_EQ(create(config), GW_OK) << diag().text();
  EXPECT_EQ(start(), GW_OK) << diag().text();
  EXPECT_EQ(host().state(), uint32_t{GW_STATE_READY});
}

bool RunningGateway::wait(const std::function<bool()>& done) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    if (host().run_until(done, 0)) return true;
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

void RunningGateway::pass(uint64_t seconds) {
  // From tick to tick: a tick more than asked costs nothing, the way to a point between two of them would be waited
  // for.
  const uint64_t end = host().now_ns() + seconds * kSecond;
  host().run_until([&] { return host().now_ns() >= end; }, (seconds + 1) * kSecond, std::chrono::seconds(5));
}

bool RunningGateway::wait_and_pass(const std::function<bool()>& done) {
  return wait([&] {
    if (done()) return true;
    pass(1);
    return false;
  });
}

uint64_t RunningGateway::push(const std::string& address, ParcelSpec spec, uint64_t deadline_in_s) {
  spec.addresses = {address};
  EXPECT_EQ(submit({spec}, deadline_in_s * kSecond), GW_OK);
  return last_ticket();
}

Settled RunningGateway::outcome(uint64_t ticket) {
  EXPECT_TRUE(wait([&] { return !is_open(ticket); })) << "ticket " << ticket << " was not settled";
  const auto all = host().settled(ticket);
  return all.empty() ? Settled{} : all.front();
}

std::vector<HeardEvent> RunningGateway::heard(uint32_t kind) {
  std::vector<HeardEvent> found;
  for (HeardEvent& event : host().events())
    if (event.kind == kind) found.push_back(std::move(event));
  return found;
}

std::vector<HeardEvent> RunningGateway::wait_heard(uint32_t kind, size_t count) {
  EXPECT_TRUE(wait([&] { return heard(kind).size() >= count; })) << "heard " << heard(kind).size() << " of " << count;
  return heard(kind);
}

std::string RunningGateway::presence(const std::string& address) {
  std::string story;
  for (const HeardEvent& event : heard(GW_EVENT_PRESENCE)) {
    if (event.address != address) continue;
    story += story.empty() ? "" : " ";
    story += event.subkind == GW_PRESENCE_ONLINE ? "on" : "off";
  }
  return story;
}

Device RunningGateway::device(const Hello& hello) {
  Device device(port());
  const size_t before = heard(GW_EVENT_PRESENCE).size();
  EXPECT_EQ(device.connect(hello).code, 0);
  EXPECT_TRUE(wait([&] { return heard(GW_EVENT_PRESENCE).size() > before; }));
  return device;
}

std::string text_of(mqtt::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace selfconn::testing
