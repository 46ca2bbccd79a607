// Sink is the smallest XMPP server that a component can talk to: it shakes every hand, swallows what it gets, sends our
// own questions back (the server's confirmation) and, when asked, a receipt for each message. It reads by searching for
// tags, not with our parser, and is the peer of benchmarks and of godwit-plugin-check, never of a test of correctness.
//
// A thread for each connection, all of them the sink's own.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace xmpp::testing {

struct SinkOptions {
  bool sends_receipts = false;
};

class Sink {
 public:
  explicit Sink(SinkOptions options = {});
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  uint16_t port() const { return port_; }
  uint64_t messages() const { return messages_.load(); }

 private:
  void accept_all();
  void serve(int socket);

  const SinkOptions options_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<uint64_t> messages_ = 0;
  std::atomic<bool> is_ending_ = false;
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // the acceptor's
};

}  // namespace xmpp::testing
