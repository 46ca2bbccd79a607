// H2Server: a real HTTP/2 server on loopback (nghttp2's server side) whose every request runs a script of the test, so
// that a test can say exactly when the vendor answers, refuses, resets, says GOAWAY, changes its settings or falls
// silent.
//
// One thread per connection; the script runs on it. It counts what the client must respect: streams open at once.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "broker/net/testing/tls_server.hpp"

struct nghttp2_session;
struct ssl_st;

namespace godwit::net::testing {

struct H2Request {
  int32_t stream = 0;
  std::string path, body;
  std::vector<std::pair<std::string, std::string>> headers;
};

class H2ServerConnection {
 public:
  int number = 0;               // 1 is the server's first connection
  int requests = 0;             // read on it so far
  std::string client = "none";  // common name of the client's certificate

  void answer(int32_t stream, int status, const std::string& body = "");
  void reset(int32_t stream, uint32_t code);
  void goaway(int32_t last_stream, uint32_t code = 0, const std::string& debug = "");
  void allow_streams(uint32_t n);
  void answer_pings(bool yes) { answers_pings_ = yes; }
  void close_after_writing() { closing_ = true; }  // everything submitted goes out first
  void half_close();                               // our side ends; we go on reading
  void cut();                                      // RST at once, nothing more goes out

 private:
  friend class H2Server;
  friend struct H2ServerCallbacks;
  nghttp2_session* session_ = nullptr;
  class H2Server* server_ = nullptr;
  int fd_ = -1;
  ssl_st* ssl_ = nullptr;
  std::list<H2Request> reading_;
  std::vector<std::string> bodies_;
  bool answers_pings_ = true, closing_ = false, cut_ = false;
};

class H2Server {
 public:
  struct Options {
    uint32_t max_streams = 100;
    std::optional<TestCertificate> certificate;  // TLS
    bool speaks_h2 = true;                       // ALPN; false: chooses http/1.1 and answers every request with 200
    std::function<void(H2ServerConnection&)> greeting = {};  // runs after SETTINGS, before any request
  };
  using Script = std::function<void(H2ServerConnection&, const H2Request&)>;
  explicit H2Server(Script script) : H2Server(std::move(script), Options()) {}
  H2Server(Script script, Options options);
  ~H2Server();

  std::string origin(const std::string& host = "127.0.0.1") const;
  int port() const { return port_; }
  int connections() const { return connections_; }
  int most_streams() const { return most_streams_; }  // open at once, on one connection
  int pings() const { return pings_; }
  // Paths of the requests that reached the script, in any order.
  std::vector<std::string> seen() const;

 private:
  friend struct H2ServerCallbacks;
  friend class H2ServerConnection;
  void accept_all();
  void serve(int fd, int number);
  const Script script_;
  const Options options_;
  void* context_ = nullptr;  // SSL_CTX
  int listener_ = -1, port_ = 0;
  std::atomic<int> connections_{0}, most_streams_{0}, pings_{0};
  mutable std::mutex mutex_;
  std::list<int> open_;            // guarded by mutex_
  std::vector<std::string> seen_;  // guarded by mutex_
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace godwit::net::testing
