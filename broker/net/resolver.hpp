// resolve: a name to its addresses, afresh each time, without making anybody wait.
//
// The C library's look-up blocks for as long as the name server pleases and cannot be called off, so each one has a
// thread of its own, which nobody joins: a name server that hangs costs its own vendor a time-out, and neither the
// others nor our shutdown wait for it. Address literals need no thread and are answered before resolve returns.
//
// Safe from any thread. `done` is called exactly once, on that thread or on the caller's, perhaps long after the caller
// has lost interest: it may only touch what it owns.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace godwit::net {

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
};

struct Resolved {
  std::vector<Address> addresses;  // in the order in which they should be tried
  std::string error;               // if there are none
};

void resolve(const std::string& host, uint16_t port, std::function<void(Resolved)> done);

}  // namespace godwit::net
