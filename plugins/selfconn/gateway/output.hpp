// Output gathers what one connection is to be sent in this round, so that it leaves with one system call.
//
// Fill it for one connection, flush, go on to the next. What the socket does not take is kept with the connection
// until it is writable; a peer that does not read its answers is cut off at kMaxUnsent.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plugins/selfconn/gateway/connection.hpp"
#include "plugins/selfconn/gateway/settings.hpp"

namespace selfconn {

enum class Flushed : uint8_t {
  all,
  some,     // the rest waits in c.unsent
  lost,     // the socket takes nothing any more; what the peer said before may still be read
  overrun,  // the peer does not read its answers
};

class Output {
 public:
  // Room for the largest PUBLISH that we can be asked for, and more.
  static constexpr size_t kSize = 2 * kMaxPayload + 32 * 1024;

  Output() : buffer_(kSize) {}

  // `bytes` of room behind what is there, or less than that when there is no more: flush first.
  std::span<uint8_t> room() { return std::span(buffer_).subspan(used_); }
  void commit(size_t bytes) { used_ += bytes; }
  size_t used() const { return used_; }

  // Empties the buffer into the socket or into c.unsent.
  Flushed flush(Connection& c, uint32_t tick);
  // Tries to send c.unsent again.
  Flushed resume(Connection& c, uint32_t tick);

 private:
  std::vector<uint8_t> buffer_;
  size_t used_ = 0;
};

}  // namespace selfconn
