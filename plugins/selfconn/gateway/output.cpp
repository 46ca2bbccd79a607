#include "plugins/selfconn/gateway/output.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace selfconn {
namespace {

// What the socket took; -1 when it is lost.
ssize_t push(Connection& c, std::span<const uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const auto rest = bytes.subspan(done);
    const ssize_t n =
        c.stream ? c.stream->write(c.fd, rest) : ::send(c.fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n < 0) return -1;
    done += static_cast<size_t>(n);
  }
  c.tx_sent += static_cast<uint32_t>(done);
  return static_cast<ssize_t>(done);
}

}  // namespace

Flushed Output::flush(Connection& c, uint32_t tick) {
  const std::span<const uint8_t> all(buffer_.data(), used_);
  used_ = 0;
  if (all.empty()) return Flushed::all;
  if (c.cannot_send) return Flushed::lost;
  if (!c.unsent.empty()) {
    if (c.unsent.size() + all.size() > kMaxUnsent) return Flushed::overrun;
    c.unsent.append(all);
    return Flushed::some;
  }
  const ssize_t sent = push(c, all);
  if (sent < 0) return Flushed::lost;
  c.unsent.assign(all.subspan(static_cast<size_t>(sent)), tick);
  return c.unsent.empty() ? Flushed::all : Flushed::some;
}

Flushed Output::resume(Connection& c, uint32_t tick) {
  if (c.unsent.empty()) return Flushed::all;
  const ssize_t sent = push(c, c.unsent.bytes());
  if (sent < 0) return Flushed::lost;
  if (sent > 0) {
    c.unsent.drop(static_cast<size_t>(sent));
    c.unsent.set_mark(tick);
  }
  return c.unsent.empty() ? Flushed::all : Flushed::some;
}

}  // namespace selfconn
