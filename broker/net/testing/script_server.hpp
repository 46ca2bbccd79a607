// ScriptServer: a real TCP server on loopback whose every connection runs a script of the test, so that a test can say
// exactly when a vendor answers, stalls, closes or resets. One thread per connection, joined by the destructor.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace godwit::net::testing {

class ScriptConnection {
 public:
  explicit ScriptConnection(int fd) : fd_(fd) {}

  // The next request, header and body, as it came; empty when the client has closed.
  std::string read_request();
  void write(std::string_view bytes);
  void answer(int status, std::string_view body, std::string_view extra_headers = "");
  void wait_for_close();     // returns when the client gives up
  void tunnel_to(int port);  // passes bytes on to 127.0.0.1:port and back until either side ends
  void reset();              // ends the connection with RST instead of FIN

 private:
  int fd_;
  std::string buffer_;
};

class ScriptServer {
 public:
  using Script = std::function<void(ScriptConnection&)>;
  explicit ScriptServer(Script script);
  ~ScriptServer();

  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  void accept_all();
  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::list<int> open_;  // guarded by mutex_
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace godwit::net::testing
