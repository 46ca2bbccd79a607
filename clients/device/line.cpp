#include "clients/device/line.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace godwit::device {
namespace {

bool wait_for(int fd, short events, int timeout_ms) {
  pollfd one{fd, events, 0};
  int ready;
  do ready = poll(&one, 1, timeout_ms);
  while (ready < 0 && errno == EINTR);
  return ready == 1;
}

int connect_one(const addrinfo& address, int timeout_ms) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    int error = errno;
    socklen_t size = sizeof error;
    if (error == EINPROGRESS && wait_for(fd, POLLOUT, timeout_ms)) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return ::close(fd), -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

Line::Line(Peer peer) : peer_(std::move(peer)), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!peer_.is_tls) return;
  tls_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(tls_, TLS1_2_VERSION);
  SSL_CTX_set_verify(tls_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(tls_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(tls_, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (peer_.ca_file.empty())
    SSL_CTX_set_default_verify_paths(tls_);
  else
    SSL_CTX_load_verify_locations(tls_, peer_.ca_file.c_str(), nullptr);
}

Line::~Line() {
  close();
  if (session_) SSL_SESSION_free(session_);
  if (tls_) SSL_CTX_free(tls_);
  ::close(wake_fd_);
}

const char* Line::open(int timeout_ms) {
  if (const char* why = connect_to(timeout_ms)) return why;
  if (!tls_) return nullptr;
  const char* why = shake_hands(timeout_ms);
  if (why) close();
  return why;
}

const char* Line::connect_to(int timeout_ms) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(peer_.host.c_str(), std::to_string(peer_.port).c_str(), &hints, &found) != 0)
    return "the server's name is not known";
  for (const addrinfo* a = found; a && fd_ < 0; a = a->ai_next) fd_ = connect_one(*a, timeout_ms);
  freeaddrinfo(found);
  return fd_ < 0 ? "the server cannot be reached" : nullptr;
}

const char* Line::shake_hands(int timeout_ms) {
  ssl_ = SSL_new(tls_);
  SSL_set_fd(ssl_, fd_);
  SSL_set_tlsext_host_name(ssl_, peer_.host.c_str());
  SSL_set1_host(ssl_, peer_.host.c_str());
  static constexpr unsigned char kAlpn[] = "\x04mqtt";
  SSL_set_alpn_protos(ssl_, kAlpn, sizeof kAlpn - 1);
  if (session_) SSL_set_session(ssl_, session_);
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(ssl_);
    if (done == 1) return nullptr;
    const int error = SSL_get_error(ssl_, done);
    const short events = error == SSL_ERROR_WANT_READ ? POLLIN : error == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
    if (events && wait_for(fd_, events, timeout_ms)) continue;
    if (SSL_get_verify_result(ssl_) != X509_V_OK) return "the server's certificate is not good for its name";
    return "the TLS handshake failed";
  }
}

void Line::close() {
  if (ssl_) {
    // The next handshake is shorter. OpenSSL resumes no session that was not said goodbye to.
    if (SSL_is_init_finished(ssl_)) {
      SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
      if (session_) SSL_SESSION_free(session_);
      session_ = SSL_get1_session(ssl_);
    }
    SSL_free(std::exchange(ssl_, nullptr));
  }
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool Line::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const auto n = ssl_ ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                        : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    const int error = ssl_ ? SSL_get_error(ssl_, static_cast<int>(n)) : 0;
    const bool is_full = ssl_ ? error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ : errno == EAGAIN;
    constexpr int kPatienceMs = 20'000;
    if (!is_full || !wait_for(fd_, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, kPatienceMs)) return false;
  }
  return true;
}

bool Line::receive(std::string& bytes) {
  char room[16 * 1024];
  bytes.clear();
  ERR_clear_error();
  const auto n = ssl_ ? SSL_read(ssl_, room, sizeof room) : ::recv(fd_, room, sizeof room, 0);
  if (n > 0) {
    bytes.assign(room, static_cast<size_t>(n));
    return true;
  }
  if (!ssl_) return n < 0 && (errno == EAGAIN || errno == EINTR);
  const int error = SSL_get_error(ssl_, static_cast<int>(n));
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

void Line::wait(int64_t timeout_ms) {
  if (ssl_ && SSL_pending(ssl_) > 0) return;
  pollfd both[2] = {{wake_fd_, POLLIN, 0}, {fd_, POLLIN, 0}};
  poll(both, fd_ >= 0 ? 2 : 1, static_cast<int>(std::clamp<int64_t>(timeout_ms, 0, 3'600'000)));
  uint64_t ignored;
  if (both[0].revents && ::read(wake_fd_, &ignored, sizeof ignored) < 0) return;
}

void Line::interrupt() {
  const uint64_t one = 1;
  if (::write(wake_fd_, &one, sizeof one) < 0) return;  // a full counter wakes too
}

}  // namespace godwit::device
