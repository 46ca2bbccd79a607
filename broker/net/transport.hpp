// Transport is one connection's way to the other side: TCP, through a proxy if there is one (CONNECT), TLS if the
// origin wants it. It turns all of that into "step until ready, then read and write bytes".
//
// Belongs to one thread, never blocks, and owns the descriptor. Every failure is a text for people; after one only the
// destructor may be called.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "broker/net/origin.hpp"
#include "broker/net/proxy.hpp"
#include "broker/net/resolver.hpp"
#include "broker/net/tls_context.hpp"

namespace godwit::net {

class Transport {
 public:
  // `tls` null: plain. `name`: whom the certificate must bear. `proxy` null: none; then `addresses` are the proxy's.
  Transport(std::vector<Address> addresses, const Origin& origin, std::string name, const TlsContext* tls,
            const Proxy* proxy);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  enum class Status { again, ready, failed };
  Status step();                                // goes on with connecting, when fd() is ready for what wants() says
  Status next_address(const std::string& why);  // gives this address up; failed: it was the last
  bool has_more_addresses() const { return !addresses_.empty(); }
  std::string protocol() const;  // what ALPN chose; empty: nothing

  int fd() const { return fd_; }
  bool wants_write() const { return wants_write_; }  // for the next step, read or write to make progress
  const std::string& error() const { return error_; }

  // Bytes read or written; 0: not now; -1: over (error() says why; a proper end is "the server closed the connection").
  // REQUIRES: ready
  long read(std::span<char> into);
  long write(std::string_view bytes);
  void say_goodbye();  // TLS close_notify, if it can be sent at once

 private:
  enum class Phase { tcp, connect_out, connect_in, tls, ready };
  Status dial();
  Status step_tcp();
  Status step_connect_out();
  Status step_connect_in();
  Status begin_tls();
  Status step_tls();
  Status fail(std::string why);
  long tls_result(int result);

  std::deque<Address> addresses_;
  const Origin origin_;
  const std::string name_;
  const TlsContext* const tls_;
  const std::string connect_request_;  // empty: no proxy
  const std::string target_;           // for messages: whom we dial
  Phase phase_ = Phase::tcp;
  int fd_ = -1;
  SslPtr ssl_;
  bool wants_write_ = false;
  std::string connect_left_, connect_answer_;
  std::string error_;
};

}  // namespace godwit::net
