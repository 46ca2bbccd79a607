// TLS 1.2 and 1.3 by OpenSSL: one context for all connections of a gateway, one small object per connection.
//
// OpenSSL does the handshake. After that a 1.3 connection is two keys (tls13_records.hpp); a 1.2 connection stays with
// OpenSSL, whose buffers are released while it is idle. Sessions are resumed by tickets only (one a handshake), so
// nothing is kept here; ticket keys are replaced every twelve hours, the one before still opens what it sealed.
//
// TlsContext: make_stream from any thread. A stream: one thread at a time.
#pragma once

#include <memory>
#include <string>

#include <godwit/result.hpp>

#include "plugins/selfconn/stream/stream.hpp"

typedef struct ssl_ctx_st SSL_CTX;

namespace selfconn {

class TicketKeys;

class TlsContext {
 public:
  // PEM files; the certificate with its chain. The error names the property and the file.
  // `rekey_after`: records of 1.3 that we seal under one key; tests take few.
  static godwit::Result<std::unique_ptr<TlsContext>> load(const std::string& cert_file, const std::string& key_file,
                                                          uint64_t rekey_after = uint64_t{1} << 23);
  ~TlsContext();

  // The server's side of a connection that begins with its handshake.
  std::unique_ptr<Stream> make_stream(int fd);

 private:
  explicit TlsContext(uint64_t rekey_after);

  std::unique_ptr<TicketKeys> tickets_;
  SSL_CTX* context_;
  const uint64_t rekey_after_;
};

}  // namespace selfconn
