#include "broker/channels/services/listeners.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

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

}  // namespace

Listeners::~Listeners() {
  for (const auto& [key, socket] : sockets_) close(socket.fd);
}

Result<Listeners::Socket> Listeners::get(std::string_view channel, std::string_view name, std::string_view text,
                                         uint32_t index, uint32_t backlog) {
  const Key key{std::string(channel), std::string(name), std::string(text), index};
  std::lock_guard lock(mutex_);
  if (const auto known = sockets_.find(key); known != sockets_.end()) return known->second;

  Result<Address> address = parse(text);
  if (!address) return std::move(address).error();
  const Socket* sibling = nullptr;
  for (const auto& [other, socket] : sockets_)
    if (std::get<0>(other) == channel && std::get<1>(other) == name && std::get<2>(other) == text) sibling = &socket;
  if (sibling)
    address->set_port(sibling->port);
  else if (address->port() != 0 && !is_free(*address))
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
  return sockets_.emplace(key, Socket{fd, bound.port()}).first->second;
}

}  // namespace godwit::channels
