#include "plugins/selfconn/stream/stream.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

namespace selfconn {

ssize_t read_below(Stream* below, int fd, std::span<uint8_t> room) {
  return below ? below->read(fd, room) : ::recv(fd, room.data(), room.size(), MSG_DONTWAIT);
}

ssize_t write_below(Stream* below, int fd, std::span<const uint8_t> head, std::span<const uint8_t> body) {
  if (below) return below->write(fd, head, body);
  iovec parts[2] = {{const_cast<uint8_t*>(head.data()), head.size()}, {const_cast<uint8_t*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace selfconn
