// TlsContext is what all TLS connections of one channel share: trusted roots, versions, ciphers. Made once, read only.
#pragma once

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace xmpp {

class TlsContext {
 public:
  // `ca_file`: the only roots to trust; empty: the system's. Null: `error` says why.
  static std::unique_ptr<TlsContext> make(const std::string& ca_file, std::string& error);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* get() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

}  // namespace xmpp
