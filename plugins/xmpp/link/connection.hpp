// Connection is one non-blocking TCP connection, in plain text or inside TLS. It never waits: whoever owns it polls
// descriptor() for wanted() and calls again.
//
// poll() and not select(): a broker has more than 1,024 descriptors. One thread.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "plugins/xmpp/link/tls.hpp"

struct ssl_st;

namespace xmpp {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// All addresses of "host:port". Blocks unless the host is an address itself (`numeric_only` asks for no more than
// that). Empty: `error` says why.
std::vector<Address> resolve(const std::string& server, bool numeric_only, std::string& error);

// "host" of "host:port" and "[::1]:port".
std::string host_of(const std::string& server);

class Connection {
 public:
  enum class Io : uint8_t { done, again, closed };

  Connection() = default;
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  // Whether a step of TLS waits for the socket to become writable.
  bool wants_write() const { return wants_write_; }

  // `again`: connecting; call finish() when it is writable.
  Io begin(const Address& address);
  Io finish();
  // TLS over the open connection; the peer must prove to be `host`. Call handshake() until it is done.
  void begin_tls(const TlsContext& context, const std::string& host);
  Io handshake();

  // `done`: `count` bytes, at least one.
  Io read(char* buffer, size_t size, size_t& count);
  Io write(std::string_view bytes, size_t& count);
  // Says goodbye as far as that needs no waiting.
  void close();

  // Why the last step was `closed`.
  const std::string& error() const { return error_; }
  // It was the peer's certificate: trying again soon will not help.
  bool is_untrusted() const { return is_untrusted_; }

 private:
  Io failed(const char* what);
  Io tls_result(int result, const char* what);

  int descriptor_ = -1;
  ssl_st* ssl_ = nullptr;
  bool wants_write_ = false, is_untrusted_ = false;
  std::string error_;
};

}  // namespace xmpp
