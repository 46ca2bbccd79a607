// Stream is what stands between a socket and MQTT on listeners other than plain TCP: TLS, WebSocket, or both.
//
// Plain connections have none and pay nothing. Owned by its connection; moves to another shard with it; one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

namespace selfconn {

class Stream {
 public:
  virtual ~Stream() = default;

  // Like recv and send on a non-blocking socket: a count, 0 = the peer closed (read), -1 with errno; EAGAIN = later.
  virtual ssize_t read(int fd, std::span<uint8_t> room) = 0;
  virtual ssize_t write(int fd, std::span<const uint8_t> bytes) = 0;
};

}  // namespace selfconn
