#include "plugins/xmpp/link/connection.hpp"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>

namespace xmpp {
namespace {

std::string tls_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "the peer closed the connection";
  char text[160];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

}  // namespace

std::unique_ptr<TlsContext> TlsContext::make(const std::string& ca_file, std::string& error) {
  std::unique_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method())));
  if (!made->context_) return error = tls_error(), nullptr;
  SSL_CTX_set_min_proto_version(made->context_, TLS1_2_VERSION);  // RFC 7590, RFC 9325
  SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(made->context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(made->context_)
                                     : SSL_CTX_load_verify_file(made->context_, ca_file.c_str());
  if (loaded != 1) {
    ERR_clear_error();
    error = "`ca_file` " + ca_file + " cannot be read as PEM certificates";
    return nullptr;
  }
  return made;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

std::string host_of(const std::string& server) {
  std::string host = server.substr(0, server.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host;
}

std::vector<Address> resolve(const std::string& server, bool numeric_only, std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (numeric_only ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  const std::string port = server.substr(server.rfind(':') + 1);
  const int status = getaddrinfo(host_of(server).c_str(), port.c_str(), &hints, &found);
  if (status != 0) return error = gai_strerror(status), std::vector<Address>();
  std::vector<Address> out;
  for (const addrinfo* a = found; a; a = a->ai_next) {
    if (a->ai_addrlen > sizeof(sockaddr_storage)) continue;
    Address& made = out.emplace_back();
    memcpy(&made.storage, a->ai_addr, a->ai_addrlen);
    made.size = a->ai_addrlen;
  }
  freeaddrinfo(found);
  return out;
}

Connection::Io Connection::failed(const char* what) {
  error_ = std::string(what) + ": " + strerror(errno);
  return Io::closed;
}

Connection::Io Connection::begin(const Address& address) {
  close();
  error_.clear();
  is_untrusted_ = false;
  descriptor_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return failed("socket");
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0) return Io::done;
  return errno == EINPROGRESS ? Io::again : failed("connect");
}

Connection::Io Connection::finish() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0 ? Io::done : failed("connect");
}

void Connection::begin_tls(const TlsContext& context, const std::string& host) {
  ssl_ = SSL_new(context.get());
  SSL_set_fd(ssl_, descriptor_);
  SSL_set_connect_state(ssl_);
  in6_addr ignored;
  if (inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host.c_str());
  } else {
    SSL_set1_host(ssl_, host.c_str());
    SSL_set_tlsext_host_name(ssl_, const_cast<char*>(host.c_str()));
  }
}

Connection::Io Connection::handshake() {
  const Io result = tls_result(SSL_do_handshake(ssl_), "TLS");
  if (result != Io::closed) return result;
  const long verdict = SSL_get_verify_result(ssl_);
  is_untrusted_ = verdict != X509_V_OK;
  if (is_untrusted_) error_ = std::string("TLS: the server's certificate: ") + X509_verify_cert_error_string(verdict);
  return result;
}

Connection::Io Connection::tls_result(int result, const char* what) {
  wants_write_ = false;
  if (result > 0) return Io::done;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Io::again;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return Io::again;
    case SSL_ERROR_ZERO_RETURN:
      error_ = "the peer closed the connection";
      return Io::closed;
    default:
      error_ = std::string(what) + ": " + tls_error();
      return Io::closed;
  }
}

Connection::Io Connection::read(char* buffer, size_t size, size_t& count) {
  count = 0;
  if (ssl_) {
    ERR_clear_error();
    return tls_result(SSL_read_ex(ssl_, buffer, size, &count), "read");
  }
  const ssize_t n = ::recv(descriptor_, buffer, size, 0);
  if (n > 0) return count = static_cast<size_t>(n), Io::done;
  if (n == 0) return error_ = "the peer closed the connection", Io::closed;
  return errno == EAGAIN || errno == EINTR ? Io::again : failed("read");
}

Connection::Io Connection::write(std::string_view bytes, size_t& count) {
  count = 0;
  if (ssl_) {
    ERR_clear_error();
    return tls_result(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count), "write");
  }
  const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n >= 0) return count = static_cast<size_t>(n), Io::done;
  return errno == EAGAIN || errno == EINTR ? Io::again : failed("write");
}

void Connection::close() {
  if (ssl_) {
    SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ERR_clear_error();
    ssl_ = nullptr;
  }
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  wants_write_ = false;
}

}  // namespace xmpp
