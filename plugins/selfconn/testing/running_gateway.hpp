// RunningGateway is the real plugin in the SDK's test host: real sockets and threads, the host's fakes for the rest,
// the clock turned by the test. A device credential is the text "app/device" or "app/device/generation".
#pragma once

#include <functional>
#include <string>

#include "plugins/selfconn/testing/device.hpp"
#include "sdk/testhost/instance.hpp"

namespace selfconn::testing {

using godwit::testhost::HeardEvent;
using godwit::testhost::ParcelSpec;
using godwit::testhost::Settled;

inline constexpr uint64_t kSecond = 1'000'000'000;

class RunningGateway : public godwit::testhost::Instance {
 public:
  explicit RunningGateway(const std::string& config = R"({"reactors": 2})");

  // Of the listener: "tcp", "websocket", "tls", "wss".
  uint32_t port(const std::string& listener = "tcp") { return host().io().port(listener); }
  // Waits in real time, without turning the clock, while the gateway's threads work.
  bool wait(const std::function<bool()>& done);
  // Turns the clock, tick by tick; the gateway's threads may be behind when it returns.
  void pass(uint64_t seconds);
  // Both: turns the clock second by second until it is so.
  bool wait_and_pass(const std::function<bool()>& done);

  // Gives one message out; returns its ticket.
  uint64_t push(const std::string& address, ParcelSpec spec = {}, uint64_t deadline_in_s = 600);
  // How it ended; waits for that.
  Settled outcome(uint64_t ticket);
  bool is_open(uint64_t ticket) { return host().settled(ticket).empty(); }

  std::vector<HeardEvent> heard(uint32_t kind);
  // Waits until `count` events of that kind were heard.
  std::vector<HeardEvent> wait_heard(uint32_t kind, size_t count);
  // Presence of one device in the order it was heard: "on", "off".
  std::string presence(const std::string& address);

  // A device that is connected and known to the host.
  Device device(const Hello& hello = {});
};

std::string text_of(mqtt::Bytes bytes);

}  // namespace selfconn::testing
