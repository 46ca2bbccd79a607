// ScriptedServer is a server whose every word the test chooses: it listens on loopback, keeps what it reads as text,
// and sends what it is told. One connection at a time is spoken with; the next one replaces it.
//
// Its thread only reads; all methods are for the test's thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

namespace xmpp::testing {

class ScriptedServer {
 public:
  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  uint64_t connections() const { return connections_.load(); }

  bool is_connected() const;

  // What the present connection has said so far, and not been forgotten.
  std::string heard() const;
  bool has_heard(const std::string& text) const { return heard().find(text) != std::string::npos; }
  void forget();

  void say(const std::string& bytes);
  void hang_up();
  void stop_reading(bool stop) { is_deaf_ = stop; }

 private:
  void run();

  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<uint64_t> connections_ = 0;
  std::atomic<bool> is_ending_ = false, is_deaf_ = false;
  std::thread thread_;
  mutable std::mutex mutex_;  // guards what follows
  std::string heard_;
  int socket_ = -1;
};

}  // namespace xmpp::testing
