// TlsContext is whom a pool trusts and what it shows of itself: CAs, client certificate, ALPN.
//
// There is no way to make one that does not check the server: the chain must end in a trusted CA and the certificate
// must bear the name (or the address) that we meant to reach. TLS 1.2 or later.
//
// Made and used by one thread. Sessions keep what they need alive after the context is gone.
#pragma once

#include <memory>
#include <string>

#include "broker/net/http_client.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace godwit::net {

struct FreeSsl {
  void operator()(ssl_st* ssl) const;
};
using SslPtr = std::unique_ptr<ssl_st, FreeSsl>;

class TlsContext {
 public:
  // `ca_file` empty: the system's CAs. Protocols in the order of our liking, "h2" or "h2" and "http/1.1". An error
  // names the file or the part of the identity that is wrong.
  static Result<std::unique_ptr<TlsContext>> make(const std::string& ca_file, const TlsIdentity& identity,
                                                  bool http1_too);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A client session on `fd` that accepts nobody but `name` (a host name or an address literal).
  Result<SslPtr> session(int fd, const std::string& name) const;
  uint64_t version() const { return version_; }  // of the identity

 private:
  TlsContext(ssl_ctx_st* context, uint64_t version) : context_(context), version_(version) {}
  ssl_ctx_st* const context_;
  const uint64_t version_;
};

// Why the last TLS operation on `ssl` failed, for people.
std::string tls_error(const ssl_st* ssl, const std::string& name);

}  // namespace godwit::net
