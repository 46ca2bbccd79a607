// Line is one connection to the server, TCP or TLS, non-blocking once it is open. One thread, but interrupt() from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;

namespace godwit::device {

struct Peer {
  std::string host;
  uint16_t port = 0;
  bool is_tls = false;
  std::string ca_file;  // empty: the system's
};

class Line {
 public:
  explicit Line(Peer peer);
  ~Line();
  Line(const Line&) = delete;

  // Name look-up, connect, handshake; at most `timeout_ms` for each of the last two. Null: open, else why not.
  const char* open(int timeout_ms);
  void close();
  bool is_open() const { return fd_ >= 0; }

  // All of it, or false when the line is lost.
  bool send(std::string_view bytes);
  // What came, up to a few KiB; empty: nothing yet. False: the line is lost.
  bool receive(std::string& bytes);

  // Waits until something came, interrupt() was called, or the time is over.
  void wait(int64_t timeout_ms);
  void interrupt();

 private:
  const char* connect_to(int timeout_ms);
  const char* shake_hands(int timeout_ms);

  const Peer peer_;
  int fd_ = -1, wake_fd_;
  SSL_CTX* tls_ = nullptr;
  SSL* ssl_ = nullptr;
  SSL_SESSION* session_ = nullptr;  // for resumption
};

}  // namespace godwit::device
