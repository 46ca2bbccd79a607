#include "broker/net/testing/script_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace godwit::net::testing {

std::string ScriptConnection::read_request() {
  while (true) {
    const size_t head = buffer_.find("\r\n\r\n");
    if (head != std::string::npos) {
      size_t length = 0;
      std::string lower = buffer_.substr(0, head);
      std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
      if (const size_t at = lower.find("content-length:"); at != std::string::npos)
        length = std::strtoul(lower.c_str() + at + 15, nullptr, 10);
      if (buffer_.size() >= head + 4 + length) {
        std::string request = buffer_.substr(0, head + 4 + length);
        buffer_.erase(0, head + 4 + length);
        return request;
      }
    }
    char chunk[4096];
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) return {};
    buffer_.append(chunk, static_cast<size_t>(got));
  }
}

void ScriptConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(put));
  }
}

void ScriptConnection::answer(int status, std::string_view body, std::string_view extra_headers) {
  write("HTTP/1.1 " + std::to_string(status) + " Text\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
        std::string(extra_headers) + "\r\n" + std::string(body));
}

void ScriptConnection::wait_for_close() {
  char chunk[256];
  while (recv(fd_, chunk, sizeof chunk, 0) > 0) {
  }
}

void ScriptConnection::tunnel_to(int port) {
  const int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (connect(far, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    pollfd ends[] = {{fd_, POLLIN, 0}, {far, POLLIN, 0}};
    char bytes[16384];
    while (poll(ends, 2, -1) > 0) {
      bool over = false;
      for (int i = 0; i < 2; ++i) {
        if (!ends[i].revents) continue;
        const ssize_t got = recv(ends[i].fd, bytes, sizeof bytes, 0);
        over |= got <= 0 || send(ends[1 - i].fd, bytes, static_cast<size_t>(got), MSG_NOSIGNAL) != got;
      }
      if (over) break;
    }
  }
  close(far);
}

void ScriptConnection::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

ScriptServer::ScriptServer(Script script) : script_(std::move(script)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  listen(listener_, 64);
  socklen_t length = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptServer::~ScriptServer() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    std::lock_guard lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

void ScriptServer::accept_all() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    {
      std::lock_guard lock(mutex_);
      open_.push_back(fd);
    }
    threads_.emplace_back([this, fd] {
      ScriptConnection connection(fd);
      script_(connection);
      std::lock_guard lock(mutex_);
      open_.remove(fd);
      close(fd);
    });
  }
}

}  // namespace godwit::net::testing
