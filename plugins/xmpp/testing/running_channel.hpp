// RunningChannel is the real plugin in the SDK's test host, connected to a ScriptedServer: real sockets and threads,
// the host's fakes for the rest, the clock turned by the test.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plugins/xmpp/testing/scripted_server.hpp"
#include "sdk/testhost/instance.hpp"

namespace xmpp::testing {

using godwit::testhost::HeardEvent;
using godwit::testhost::ParcelSpec;
using godwit::testhost::Settled;

inline constexpr uint64_t kSecond = 1'000'000'000;

class RunningChannel : public godwit::testhost::Instance {
 public:
  // `more`: properties beside server, jid (push.example), password and domain (example.org), as ", \"key\": value".
  explicit RunningChannel(const std::string& more = {});

  // Waits in real time while threads and sockets work, without turning the clock; `turning`: turns it, a tick at a
  // time, while it may turn.
  bool wait(const std::function<bool()>& done);
  bool wait_turning(
      const std::function<bool()>& done, const std::function<bool()>& may_turn = [] { return true; });
  void pass(uint64_t ns);
  bool hears(const std::string& text);

  // Until the channel has opened its stream.
  void await_stream();
  // Plays the component handshake until the channel is READY.
  void shake_hands();
  // Answers the last question, "have you read everything so far?".
  void confirm();

  uint64_t push(const std::string& message_id, const std::string& address = "bob@example.org", ParcelSpec spec = {},
                uint64_t deadline_in_s = 30);
  Settled outcome(uint64_t ticket);
  bool is_open(uint64_t ticket) { return host().settled(ticket).empty(); }
  std::vector<HeardEvent> wait_heard(uint32_t kind, size_t count);
  std::vector<HeardEvent> heard(uint32_t kind);

  ScriptedServer server;
};

}  // namespace xmpp::testing
