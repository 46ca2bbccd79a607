#include "broker/net/tls_context.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace godwit::net {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : "no reason given";
}

// No terminal: a key that is encrypted is an error, not a question on the operator's screen.
int no_password(char*, int, int, void*) {
  return 0;
}

Result<void> use_identity(SSL_CTX* context, const TlsIdentity& identity) {
  const auto bio_of = [](const std::string& pem) {
    return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  };
  const BioPtr chain = bio_of(identity.certificate_pem);
  const X509Ptr leaf(PEM_read_bio_X509(chain.get(), nullptr, no_password, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return Error{Code::invalid, "the client certificate is not PEM: " + openssl_reason(), "tls_certificate"};
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, no_password, nullptr))
    if (SSL_CTX_add0_chain_cert(context, next) != 1) X509_free(next);
  ERR_clear_error();  // the end of the file is not a fault
  const BioPtr key_bio = bio_of(identity.key_pem.empty() ? identity.certificate_pem : identity.key_pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_password, nullptr));
  if (!key)
    return Error{Code::invalid, "the client certificate's key is not PEM without a password: " + openssl_reason(),
                 "tls_key"};
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return Error{Code::invalid, "the key does not belong to the client certificate: " + openssl_reason(), "tls_key"};
  return {};
}

}  // namespace

void FreeSsl::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

Result<std::unique_ptr<TlsContext>> TlsContext::make(const std::string& ca_file, const TlsIdentity& identity,
                                                     bool http1_too) {
  ERR_clear_error();
  std::unique_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method()), identity.version));
  SSL_CTX* context = made->context_;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Answers are small and many: one read takes what several records brought.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 64 << 10);
  static constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kProtocols, http1_too ? 12 : 3);

  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1)
      return Error{Code::io, "the system's CA certificates cannot be read: " + openssl_reason(), "ca_file"};
  } else if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return Error{Code::io, "the CA certificates in " + ca_file + " cannot be read: " + openssl_reason(), "ca_file"};
  }
  if (!identity.certificate_pem.empty())
    if (Result<void> done = use_identity(context, identity); !done) return std::move(done).error();
  return made;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<SslPtr> TlsContext::session(int fd, const std::string& name) const {
  SslPtr ssl(SSL_new(context_));
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1)
    return Error{Code::internal, "OpenSSL makes no session: " + openssl_reason(), {}};
  unsigned char literal[sizeof(in6_addr)];
  const bool is_address =
      inet_pton(AF_INET, name.c_str(), literal) == 1 || inet_pton(AF_INET6, name.c_str(), literal) == 1;
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool set =
      is_address ? X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str()) == 1
                 : SSL_set1_host(ssl.get(), name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  // A session that would check no name must not exist.
  if (!set || name.empty())
    return Error{Code::invalid, "'" + name + "' is no name that TLS could check", "server_name"};
  SSL_set_connect_state(ssl.get());
  return ssl;
}

std::string tls_error(const ssl_st* ssl, const std::string& name) {
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK)
    return "the certificate of '" + name + "' is not accepted: " + X509_verify_cert_error_string(verdict);
  return "TLS with '" + name + "' failed: " + openssl_reason();
}

}  // namespace godwit::net
