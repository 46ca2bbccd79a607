#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "plugins/selfconn/testing/wire.hpp"

namespace selfconn::testing {
namespace {

class Tcp final : public Wire {
 public:
  Tcp(uint32_t port, int receive_buffer) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval patience{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Tcp() override { ::close(fd_); }

  void send(std::span<const uint8_t> bytes) override {
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t n = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (n <= 0) return;
      done += static_cast<size_t>(n);
    }
  }
  long receive(std::span<uint8_t> room) override {
    const ssize_t n = ::recv(fd_, room.data(), room.size(), 0);
    return n < 0 && errno == ECONNRESET ? 0 : n;
  }
  int fd() const override { return fd_; }

 private:
  const int fd_;
};

}  // namespace

std::unique_ptr<Wire> open_tcp(uint32_t port, int receive_buffer) {
  return std::make_unique<Tcp>(port, receive_buffer);
}

}  // namespace selfconn::testing
