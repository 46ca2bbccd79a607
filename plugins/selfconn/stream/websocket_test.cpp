// A WebSocket as its owner's loop sees it.
#include "plugins/selfconn/stream/websocket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace selfconn {
namespace {

// Its read used to go on for as long as pings came, and the other connections of the thread waited.
TEST(WebSocket, AFloodOfPingsLeavesTheOthersTheirTurn) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  std::string bytes =
      "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
  const std::string ping("\x89\x80\0\0\0\0", 6);
  for (int i = 0; i < 1000; ++i) bytes += ping;
  bytes += std::string("\x82\x81\0\0\0\0x", 7);
  ASSERT_EQ(::send(fds[1], bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  WebSocket web(nullptr);
  uint8_t room[600];
  int turns = 0;
  ssize_t n;
  while ((n = web.read(fds[0], room)) < 0 && errno == EINTR) ++turns;
  EXPECT_GE(turns, 9);  // 6,000 bytes, 600 at a time
  ASSERT_EQ(n, 1);
  EXPECT_EQ(room[0], 'x');
  ::close(fds[0]);
  ::close(fds[1]);
}

}  // namespace
}  // namespace selfconn
