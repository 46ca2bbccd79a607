// Stream is what stands between a socket and MQTT on listeners other than plain TCP: TLS, WebSocket, or both.
//
// Plain connections have none and pay nothing. Owned by its connection; moves to another shard with it; one thread at a
// time. Calls return like recv and send on a non-blocking socket: a count, 0 from read when the peer has closed, -1
// with errno; EAGAIN means later, EINTR (of read) that there may be more.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>

namespace selfconn {

class Stream {
 public:
  virtual ~Stream() = default;

  // May hold back input that it took from the socket: read again until EAGAIN.
  virtual ssize_t read(int fd, std::span<uint8_t> room) = 0;

  // Two spans as one, so that a header in front costs no copy. After a short count the caller comes back with what was
  // not taken, before anything else.
  virtual ssize_t write(int fd, std::span<const uint8_t> head, std::span<const uint8_t> body) = 0;
  ssize_t write(int fd, std::span<const uint8_t> bytes) { return write(fd, bytes, {}); }

  // The last word of this layer before the socket is half closed; as far as the socket takes it.
  virtual void finish(int fd) = 0;
};

// The socket itself, for layers that may stand on it or on another stream.
ssize_t read_below(Stream* below, int fd, std::span<uint8_t> room);
ssize_t write_below(Stream* below, int fd, std::span<const uint8_t> head, std::span<const uint8_t> body);

}  // namespace selfconn
