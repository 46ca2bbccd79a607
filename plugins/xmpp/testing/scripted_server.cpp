#include "plugins/xmpp/testing/scripted_server.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>
#include <vector>

namespace xmpp::testing {

ScriptedServer::ScriptedServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 8) == 0 &&
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

ScriptedServer::~ScriptedServer() {
  is_ending_ = true;
  thread_.join();
  hang_up();
  ::close(listener_);
}

void ScriptedServer::run() {
  std::vector<char> buffer(64 * 1024);
  while (!is_ending_) {
    pollfd waiting[2] = {{listener_, POLLIN, 0}, {-1, POLLIN, 0}};
    {
      std::lock_guard lock(mutex_);
      if (!is_deaf_) waiting[1].fd = socket_;
    }
    if (::poll(waiting, 2, 5) <= 0) continue;
    if (waiting[0].revents & POLLIN) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      std::lock_guard lock(mutex_);
      if (socket_ >= 0) ::close(socket_);
      socket_ = socket;
      heard_.clear();
      ++connections_;
    } else if (waiting[1].revents != 0) {
      std::lock_guard lock(mutex_);
      if (waiting[1].fd != socket_) continue;  // hung up meanwhile
      const ssize_t n = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (n > 0)
        heard_.append(buffer.data(), static_cast<size_t>(n));
      else
        ::close(std::exchange(socket_, -1));
    }
  }
}

bool ScriptedServer::is_connected() const {
  std::lock_guard lock(mutex_);
  return socket_ >= 0;
}

std::string ScriptedServer::heard() const {
  std::lock_guard lock(mutex_);
  return heard_;
}
void ScriptedServer::forget() {
  std::lock_guard lock(mutex_);
  heard_.clear();
}
void ScriptedServer::say(const std::string& bytes) {
  std::lock_guard lock(mutex_);
  for (size_t at = 0; socket_ >= 0 && at < bytes.size();) {
    const ssize_t n = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (n <= 0) return;
    at += static_cast<size_t>(n);
  }
}
void ScriptedServer::hang_up() {
  std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  heard_.clear();
}

}  // namespace xmpp::testing
