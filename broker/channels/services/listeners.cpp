#include "broker/channels/services/listeners.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>

namespace godwit::channels {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  uint16_t port() const {
    return ntohs(storage.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                                              : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
  }
  void set_port(uint16_t port) {
    if (storage.ss_family == AF_INET)
      reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
    else
      reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
  }
};

Error bad(std::string_view text) {
  return {Code::invalid, "'" + std::string(text) + "' is no address; expected 127.0.0.1:1883 or [::1]:1883", "address"};
}

Result<Address> parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text);
  std::string host(text.substr(0, colon));
  const std::string_view port_text = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, fault] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (fault != std::errc{} || end != port_text.data() + port_text.size() || port > 65535) return bad(text);

  Address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return bad(text);
    address.storage.ss_family = AF_INET6;
    address.size = sizeof v6;
  } else {
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return bad(text);
    address.storage.ss_family = AF_INET;
    address.size = sizeof v4;
  }
  address.set_port(static_cast<uint16_t>(port));
  return address;
}

std::string why(std::string_view address, int error) {
  std::string text = "cannot listen on " + std::string(address) + ": " + std::strerror(error);
  if (error == EADDRINUSE) text += "; another program has this port: stop it or configure another port";
  if (error == EACCES) text += "; ports below 1024 need CAP_NET_BIND_SERVICE";
  return text;
}

// A second program must not be able to share the port by accident: with SO_REUSEPORT the kernel would allow it. So the
// first socket of a group is first tried without.
bool is_free(const Address& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool free = bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0;
  const int error = errno;
  close(fd);
  errno = error;
  return free;
}

// Polite: a device that is closed comes back, one that is reset may count it as a fault of the network. Closing with
// unread input would reset.
void end_what_waits(int listener) {
  const auto next = [listener] { return accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); };
  for (int fd = next(); fd >= 0; fd = next()) {
    char unread[4096];
    while (recv(fd, unread, sizeof unread, 0) > 0) {
    }
    close(fd);
  }
}

// The kernel asks the group's program which socket a connection goes to; they are numbered as they were opened, and
// those that a plugin drops are the last ones. False: the kernel has no such thing, the sockets stay as they are.
bool choose_among_first(int fd, uint32_t count) {
  sock_filter code[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM)},
                        {BPF_ALU | BPF_MOD | BPF_K, 0, 0, count},
                        {BPF_RET | BPF_A, 0, 0, 0}};
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

}  // namespace

Listeners::~Listeners() {
  for (const auto& [key, held] : sockets_) close(held.socket.fd);
}

Result<Listeners::Socket> Listeners::get(std::string_view channel, User user, std::string_view name,
                                         std::string_view text, uint32_t index, uint32_t backlog) {
  const Key key{std::string(channel), std::string(name), std::string(text), index};
  std::lock_guard lock(mutex_);
  auto known = sockets_.find(key);
  if (known == sockets_.end()) {
    Result<Socket> made = open(key, user, backlog);
    if (!made) return made;
    known = sockets_.emplace(key, Held{*made, {}, false}).first;
  }
  known->second.users.insert(user);
  return known->second.socket;
}

Result<Listeners::Socket> Listeners::open(const Key& key, User user, uint32_t backlog) {
  const std::string& text = std::get<2>(key);
  Result<Address> address = parse(text);
  if (!address) return std::move(address).error();
  const Socket* sibling = nullptr;
  bool is_moving = false;  // between addresses of one port: the old instance's socket is no stranger's
  for (const auto& [other, held] : sockets_) {
    if (std::get<0>(other) != std::get<0>(key)) continue;
    if (std::get<1>(other) == std::get<1>(key) && std::get<2>(other) == text) sibling = &held.socket;
    is_moving |= held.socket.port == address->port() && !held.users.contains(user);
  }
  if (sibling)
    address->set_port(sibling->port);
  else if (address->port() != 0 && !is_moving && !is_free(*address))
    return Error{Code::io, why(text, errno), "address"};

  const int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Error{Code::io, why(text, errno), "address"};
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address->storage), address->size) != 0 ||
      listen(fd, backlog ? static_cast<int>(backlog) : 4096) != 0) {
    const Error error{Code::io, why(text, errno), "address"};
    close(fd);
    return error;
  }
  Address bound;
  bound.size = sizeof bound.storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
  return Socket{fd, bound.port()};
}

void Listeners::prefer(std::string_view channel, User user) {
  std::lock_guard lock(mutex_);
  for (auto first = sockets_.begin(); first != sockets_.end();) {
    const auto same_group = [&](const Key& key) {
      return std::get<0>(key) == std::get<0>(first->first) && std::get<1>(key) == std::get<1>(first->first) &&
             std::get<2>(key) == std::get<2>(first->first);
    };
    uint32_t used = 0, all = 0;
    auto next = first;
    for (; next != sockets_.end() && same_group(next->first); ++next, ++all) used += next->second.users.contains(user);
    // Attached to one socket, the program counts for its whole group. Once there it is replaced, never taken away.
    Held& held = first->second;
    if (std::get<0>(first->first) == channel && used > 0 && (used < all || held.steered))
      held.steered = choose_among_first(held.socket.fd, used);
    first = next;
  }
}

void Listeners::dismiss(std::string_view channel, User user) {
  std::lock_guard lock(mutex_);
  for (const auto& [key, held] : sockets_)
    if (std::get<0>(key) == channel && !held.users.contains(user)) end_what_waits(held.socket.fd);
}

void Listeners::release(User user) {
  std::lock_guard lock(mutex_);
  for (auto it = sockets_.begin(); it != sockets_.end();) {
    if (it->second.users.erase(user) == 0 || !it->second.users.empty()) {
      ++it;
      continue;
    }
    end_what_waits(it->second.socket.fd);
    close(it->second.socket.fd);
    it = sockets_.erase(it);
  }
}

size_t Listeners::size() const {
  std::lock_guard lock(mutex_);
  return sockets_.size();
}

}  // namespace godwit::channels
