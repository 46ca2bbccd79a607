#include <gtest/gtest.h>

#include <algorithm>

#include "plugins/selfconn/testing/wire.hpp"

namespace selfconn::testing {
namespace {

class WebSocketWire final : public Wire {
 public:
  WebSocketWire(std::unique_ptr<Wire> below, size_t frame_size) : below_(std::move(below)), frame_size_(frame_size) {
    const std::string request = upgrade_request();
    below_->send({reinterpret_cast<const uint8_t*>(request.data()), request.size()});
    std::string answer;
    while (answer.find("\r\n\r\n") == std::string::npos) {
      if (!fill()) break;
      answer.assign(pending_.begin(), pending_.end());
    }
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 101 ")) << answer;
    const size_t end = std::min(answer.find("\r\n\r\n"), answer.size() - 4) + 4;
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<long>(end));
  }

  void send(std::span<const uint8_t> bytes) override {
    for (size_t at = 0; at < bytes.size(); at += frame_size_) {
      const auto part = bytes.subspan(at, std::min(frame_size_, bytes.size() - at));
      std::vector<uint8_t> frame = {0x82};
      if (part.size() < 126) {
        frame.push_back(static_cast<uint8_t>(0x80 | part.size()));
      } else {
        frame.push_back(0x80 | 126);
        frame.push_back(static_cast<uint8_t>(part.size() >> 8));
        frame.push_back(static_cast<uint8_t>(part.size()));
      }
      const uint8_t mask[4] = {0x11, 0x22, 0x44, 0x88};
      frame.insert(frame.end(), mask, mask + 4);
      for (size_t i = 0; i < part.size(); ++i) frame.push_back(part[i] ^ mask[i % 4]);
      below_->send(frame);
      if (bytes.size() - at <= frame_size_) break;
    }
  }

  long receive(std::span<uint8_t> room) override {
    for (;;) {
      size_t header = 2;
      if (pending_.size() >= 2) {
        uint64_t length = pending_[1] & 0x7F;
        EXPECT_FALSE(pending_[1] & 0x80) << "a server's frames are not masked";
        if (length == 126 && pending_.size() >= 4)
          length = static_cast<uint64_t>(pending_[2] << 8 | pending_[3]), header = 4;
        else if (length == 127 && pending_.size() >= 10) {
          length = 0, header = 10;
          for (int i = 2; i < 10; ++i) length = length << 8 | pending_[static_cast<size_t>(i)];
        }
        if (pending_.size() >= header + length && (length < 126 || header > 2)) {
          const uint8_t opcode = pending_[0] & 0x0F;
          if (opcode == 8) return 0;
          const size_t take = std::min<size_t>(length, room.size());
          EXPECT_EQ(take, length) << "the test reads with too little room";
          std::copy_n(pending_.begin() + static_cast<long>(header), take, room.begin());
          pending_.erase(pending_.begin(), pending_.begin() + static_cast<long>(header + length));
          if (opcode == 2) return static_cast<long>(take);
          continue;
        }
      }
      if (!fill()) return end_;
    }
  }
  int fd() const override { return below_->fd(); }

 private:
  bool fill() {
    uint8_t room[4096];
    end_ = below_->receive(room);
    if (end_ <= 0) return false;
    pending_.insert(pending_.end(), room, room + end_);
    return true;
  }

  std::unique_ptr<Wire> below_;
  const size_t frame_size_;
  std::vector<uint8_t> pending_;
  long end_ = 0;
};

}  // namespace

std::string upgrade_request(const std::string& path, const std::string& protocol) {
  return "GET " + path +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: " +
         protocol + "\r\n\r\n";
}

std::unique_ptr<Wire> open_websocket(std::unique_ptr<Wire> below, size_t frame_size) {
  return std::make_unique<WebSocketWire>(std::move(below), frame_size);
}

}  // namespace selfconn::testing
