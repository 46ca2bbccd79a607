#include "sdk/testhost/fake_io.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <godwit/text.hpp>

namespace godwit::testhost {
namespace {

FakeIo& self(void* ctx) {
  return *static_cast<FakeIo*>(ctx);
}

}  // namespace

FakeIo::FakeIo(Lane& lane) : lane_(lane) {
  table_ = {};
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.watch = [](void* ctx, int32_t fd, uint32_t interest, gw_io_fn fn, void* arg, uint64_t* id) -> int32_t {
    FakeIo& s = self(ctx);
    std::lock_guard lock(s.mutex_);
    if (s.closed_) return GW_E_CLOSED;
    *id = ++s.last_id_;
    s.watches_[*id] = {fd, interest, fn, arg};
    return GW_OK;
  };
  table_.rearm = [](void* ctx, uint64_t id, uint32_t interest) -> int32_t {
    FakeIo& s = self(ctx);
    std::lock_guard lock(s.mutex_);
    auto it = s.watches_.find(id);
    if (it == s.watches_.end()) return GW_E_NOT_FOUND;
    it->second.interest = interest;
    return GW_OK;
  };
  table_.unwatch = [](void* ctx, uint64_t id) {
    FakeIo& s = self(ctx);
    std::lock_guard lock(s.mutex_);
    if (auto watch = s.watches_.extract(id)) s.end(watch.mapped());
  };
  table_.listener = [](void* ctx, const gw_listener_options* o, const gw_diag*, int32_t* fd, uint32_t* port) {
    return self(ctx).listen(*o, fd, port);
  };
}

FakeIo::~FakeIo() {
  for (const auto& [key, socket] : sockets_) ::close(socket.fd);
}

int32_t FakeIo::listen(const gw_listener_options& o, int32_t* fd, uint32_t* port) {
  std::lock_guard lock(mutex_);
  if (closed_) return GW_E_CLOSED;
  std::string name(view(o.name));
  Socket& socket = sockets_.try_emplace({name, o.index}, Socket{-1, 0}).first->second;
  if (socket.fd < 0) {
    auto first = sockets_.find({name, 0});
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(first == sockets_.end() ? 0 : static_cast<uint16_t>(first->second.port));
    socket.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(socket.fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    socklen_t length = sizeof address;
    if (bind(socket.fd, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(socket.fd, 128) != 0 ||
        getsockname(socket.fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      ::close(socket.fd);
      sockets_.erase({name, o.index});
      return GW_E_IO;
    }
    socket.port = ntohs(address.sin_port);
  }
  *fd = socket.fd;
  if (port) *port = socket.port;
  return GW_OK;
}

void FakeIo::turn(uint64_t) {
  std::lock_guard lock(mutex_);
  for (auto& [id, watch] : watches_) {
    if (watch.interest == 0) continue;
    pollfd p{watch.fd, 0, 0};
    if (watch.interest & GW_IO_READ) p.events |= POLLIN;
    if (watch.interest & GW_IO_WRITE) p.events |= POLLOUT;
    if (poll(&p, 1, 0) <= 0) continue;
    uint32_t ready = 0;
    if (p.revents & (POLLIN | POLLHUP)) ready |= GW_IO_READ;
    if (p.revents & POLLOUT) ready |= GW_IO_WRITE;
    if (p.revents & (POLLERR | POLLNVAL | POLLHUP)) ready |= GW_IO_ERROR;
    watch.interest = 0;  // one shot
    lane_.post([this, id = id, ready] {
      std::unique_lock lock(mutex_);
      auto it = watches_.find(id);
      if (it == watches_.end()) return;  // unwatched meanwhile
      Watch w = it->second;
      lock.unlock();
      w.fn(w.arg, GW_OK, ready);
    });
  }
}

bool FakeIo::is_waiting_for_the_world() const {
  std::lock_guard lock(mutex_);
  return !watches_.empty();
}

uint32_t FakeIo::port(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = sockets_.find({name, 0});
  return it == sockets_.end() ? 0 : it->second.port;
}

// REQUIRES: mutex_ held
void FakeIo::end(const Watch& watch) {
  lane_.post([watch] { watch.fn(watch.arg, GW_E_CLOSED, 0); });
}

void FakeIo::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& [id, watch] : watches_) end(watch);
  watches_.clear();
}

}  // namespace godwit::testhost
