#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "plugins/selfconn/testing/wire.hpp"

namespace selfconn::testing {

struct TlsSession {
  explicit TlsSession(SSL_SESSION* s) : session(s) {}
  ~TlsSession() { SSL_SESSION_free(session); }
  SSL_SESSION* const session;
};

namespace {

class TlsWire final : public Wire {
 public:
  TlsWire(std::unique_ptr<Wire> below, const TlsOptions& options)
      : below_(std::move(below)), context_(SSL_CTX_new(TLS_client_method())) {
    if (options.max_version) SSL_CTX_set_max_proto_version(context_, options.max_version);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, below_->fd());
    if (!options.alpn.empty()) {
      const std::string list = static_cast<char>(options.alpn.size()) + options.alpn;
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
    }
    if (options.resume) SSL_set_session(ssl_, options.resume->session);
    EXPECT_EQ(SSL_connect(ssl_), 1) << ERR_reason_error_string(ERR_get_error());
  }
  ~TlsWire() override {
    // OpenSSL's client does not resume a session whose connection ended without a goodbye; a device's connection does.
    SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }

  void send(std::span<const uint8_t> bytes) override { SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); }
  long receive(std::span<uint8_t> room) override {
    const int n = SSL_read(ssl_, room.data(), static_cast<int>(room.size()));
    if (n > 0) return n;
    const int error = SSL_get_error(ssl_, n);
    return error == SSL_ERROR_WANT_READ ? -1 : 0;
  }
  int fd() const override { return below_->fd(); }
  SSL* ssl() { return ssl_; }

 private:
  std::unique_ptr<Wire> below_;
  SSL_CTX* const context_;
  SSL* ssl_ = nullptr;
};

SSL* ssl_of(Wire& wire) {
  return dynamic_cast<TlsWire&>(wire).ssl();
}

}  // namespace

std::unique_ptr<Wire> open_tls(uint32_t port, const TlsOptions& options) {
  return std::make_unique<TlsWire>(open_tcp(port), options);
}
std::shared_ptr<TlsSession> session_of(Wire& tls) {
  return std::make_shared<TlsSession>(SSL_get1_session(ssl_of(tls)));
}
bool was_resumed(Wire& tls) {
  return SSL_session_reused(ssl_of(tls)) == 1;
}
std::string certificate_of(Wire& tls) {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_of(tls));
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  EXPECT_GT(size, 0);
  std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}
std::string alpn_of(Wire& tls) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_of(tls), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace selfconn::testing
