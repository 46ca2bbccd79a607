#include "broker/net/transport.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace godwit::net {
namespace {

constexpr size_t kMaxConnectAnswer = 8 << 10;

std::string connect_request(const Origin& origin, const Proxy& proxy) {
  const std::string host = origin.host.find(':') == std::string::npos ? origin.host : "[" + origin.host + "]";
  const std::string where = host + ":" + std::to_string(origin.port);
  std::string text = "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n";
  if (!proxy.authorization.empty()) text += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  return text + "\r\n";
}

std::string errno_text(int code) {
  return std::generic_category().message(code);
}

}  // namespace

Transport::Transport(std::vector<Address> addresses, const Origin& origin, std::string name, const TlsContext* tls,
                     const Proxy* proxy)
    : addresses_(addresses.begin(), addresses.end()),
      origin_(origin),
      name_(std::move(name)),
      tls_(tls),
      connect_request_(proxy ? connect_request(origin, *proxy) : std::string()),
      target_(proxy ? "the proxy " + proxy->host + ":" + std::to_string(proxy->port) : origin.authority()) {}

Transport::~Transport() {
  ssl_.reset();
  if (fd_ >= 0) close(fd_);
}

Transport::Status Transport::fail(std::string why) {
  error_ = std::move(why);
  return Status::failed;
}

Transport::Status Transport::dial() {
  while (!addresses_.empty()) {
    const Address address = addresses_.front();
    addresses_.pop_front();
    fd_ = socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
      error_ = "no socket for " + target_ + ": " + errno_text(errno);
      continue;
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    phase_ = Phase::tcp;
    wants_write_ = true;
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address.bytes), address.length) == 0) return step_tcp();
    if (errno == EINPROGRESS) return Status::again;
    error_ = "cannot connect to " + target_ + ": " + errno_text(errno);
    close(fd_);
    fd_ = -1;
  }
  return Status::failed;
}

Transport::Status Transport::next_address(const std::string& why) {
  error_ = why;
  ssl_.reset();
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  return dial();
}

Transport::Status Transport::step() {
  if (fd_ < 0) return dial();
  switch (phase_) {
    case Phase::tcp:
      return step_tcp();
    case Phase::connect_out:
      return step_connect_out();
    case Phase::connect_in:
      return step_connect_in();
    case Phase::tls:
      return step_tls();
    case Phase::ready:
      return Status::ready;
  }
  return Status::failed;
}

Transport::Status Transport::step_tcp() {
  int code = 0;
  socklen_t length = sizeof code;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &length);
  if (code != 0) return next_address("cannot connect to " + target_ + ": " + errno_text(code));
  sockaddr_storage peer;
  length = sizeof peer;
  if (getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return Status::again;  // not yet
  if (connect_request_.empty()) return begin_tls();
  phase_ = Phase::connect_out;
  connect_left_ = connect_request_;
  return step_connect_out();
}

Transport::Status Transport::step_connect_out() {
  while (!connect_left_.empty()) {
    const ssize_t put = send(fd_, connect_left_.data(), connect_left_.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EAGAIN) return Status::again;
    if (put < 0) return next_address("cannot write to " + target_ + ": " + errno_text(errno));
    connect_left_.erase(0, static_cast<size_t>(put));
  }
  phase_ = Phase::connect_in;
  wants_write_ = false;
  return step_connect_in();
}

// Byte by byte up to the empty line: what follows belongs to TLS.
Transport::Status Transport::step_connect_in() {
  while (!connect_answer_.ends_with("\r\n\r\n")) {
    char c;
    const ssize_t got = recv(fd_, &c, 1, 0);
    if (got < 0 && errno == EAGAIN) return Status::again;
    if (got <= 0) return fail(target_ + " closed the connection instead of answering CONNECT");
    connect_answer_ += c;
    if (connect_answer_.size() > kMaxConnectAnswer) return fail(target_ + " answers CONNECT without an end");
  }
  const std::string line = connect_answer_.substr(0, connect_answer_.find('\r'));
  if (!line.starts_with("HTTP/1.") || line.find(" 2") != 8) return fail(target_ + " refused CONNECT: " + line);
  return begin_tls();
}

Transport::Status Transport::begin_tls() {
  wants_write_ = false;
  phase_ = Phase::ready;
  if (!tls_) return Status::ready;
  Result<SslPtr> session = tls_->session(fd_, name_);
  if (!session) return fail(session.error().message);
  ssl_ = *std::move(session);
  phase_ = Phase::tls;
  return step_tls();
}

Transport::Status Transport::step_tls() {
  ERR_clear_error();
  const int result = SSL_connect(ssl_.get());
  if (result == 1) {
    phase_ = Phase::ready;
    wants_write_ = false;
    return Status::ready;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wants_write_ = false;
      return Status::again;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return Status::again;
    case SSL_ERROR_SYSCALL:
      return fail("the server closed the connection during the TLS handshake with '" + name_ + "'");
    default:
      return fail(tls_error(ssl_.get(), name_));
  }
}

std::string Transport::protocol() const {
  const unsigned char* chosen = nullptr;
  unsigned length = 0;
  if (ssl_) SSL_get0_alpn_selected(ssl_.get(), &chosen, &length);
  return std::string(reinterpret_cast<const char*>(chosen), length);
}

long Transport::tls_result(int result) {
  if (result > 0) {
    wants_write_ = false;
    return result;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wants_write_ = false;
      return 0;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return 0;
    case SSL_ERROR_ZERO_RETURN:
      error_ = "the server closed the connection";
      return -1;
    case SSL_ERROR_SYSCALL:
      error_ = errno ? "the connection broke: " + errno_text(errno) : "the server closed the connection";
      return -1;
    default:
      error_ = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                   ? "the server closed the connection"
                   : tls_error(ssl_.get(), name_);
      return -1;
  }
}

long Transport::read(std::span<char> into) {
  errno = 0;
  if (ssl_) {
    ERR_clear_error();
    return tls_result(SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size())));
  }
  const ssize_t got = recv(fd_, into.data(), into.size(), 0);
  if (got > 0) return got;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  error_ = got == 0 ? "the server closed the connection" : "the connection broke: " + errno_text(errno);
  return -1;
}

long Transport::write(std::string_view bytes) {
  errno = 0;
  if (ssl_) {
    ERR_clear_error();
    return tls_result(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())));
  }
  const ssize_t put = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  wants_write_ = put < 0 && errno == EAGAIN;
  if (put >= 0) return put;
  if (errno == EAGAIN || errno == EINTR) return 0;
  error_ = "the connection broke: " + errno_text(errno);
  return -1;
}

void Transport::say_goodbye() {
  if (!ssl_ || phase_ != Phase::ready) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

}  // namespace godwit::net
