#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "plugins/selfconn/gateway/steps.hpp"
#include "plugins/selfconn/stream/websocket.hpp"

namespace selfconn {
namespace {

constexpr int kBurst = 32;  // then the connections that are there get their turn: about half a millisecond
constexpr uint32_t kUngreetedRoom = 1000;  // sockets above max_connections that may be on their way to a refusal

std::unique_ptr<Stream> layers_of(Shard& shard, const Listener& listener, int fd) {
  std::unique_ptr<Stream> stream;
  if (listener.is_tls) stream = shard.fleet.tls.load(std::memory_order_acquire)->make_stream(fd);
  if (listener.is_websocket) stream = std::make_unique<WebSocket>(std::move(stream));
  return stream;
}

bool is_out_of_room(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

void accept_connections(Shard& shard, const Listener& listener) {
  Fleet& fleet = shard.fleet;
  for (int i = 0; i < kBurst; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int fd = ::accept4(listener.fd, reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (is_out_of_room(errno)) {
        fleet.host.warn("cannot accept more connections: " + std::string(std::strerror(errno)) +
                        "; raise the limit of open files (LimitNOFILE) or lower max_connections");
        watch_listeners(shard, false);  // until the next tick, instead of spinning
        fleet.want_ticks();
      }
      return;
    }
    shard.counters.accepted.add();
    const bool too_many = fleet.open.load(std::memory_order_relaxed) >= fleet.settings.max_connections + kUngreetedRoom;
    if (too_many || !shard.connect_rate.allow(ConnectRate::key_of(address), shard.now_ns / 1'000'000)) {
      shard.counters.rate_limited.add();
      ::close(fd);
      continue;
    }
    fleet.open.fetch_add(1, std::memory_order_relaxed);
    fleet.want_ticks();
    Connection& c = shard.add_connection(fd);
    c.network = HeldSilence::network_of(address);
    c.stream = layers_of(shard, listener, fd);
    if (!shard.watch(c)) {
      drop(shard, c, "epoll refused the socket");
      continue;
    }
    arm(shard, c);
  }
}

}  // namespace selfconn
