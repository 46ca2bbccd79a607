// WebSocket carries MQTT in binary frames: the HTTP upgrade first, then frames both ways, pings answered, close echoed.
//
// Each write becomes one frame. A peer that breaks the rules gets a close frame (or an HTTP error), then EPROTO.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "plugins/selfconn/stream/stream.hpp"
#include "plugins/selfconn/stream/websocket_frames.hpp"

namespace selfconn {

class WebSocket final : public Stream {
 public:
  // `below`: TLS, or null for the socket itself.
  explicit WebSocket(std::unique_ptr<Stream> below) : below_(std::move(below)) {}

  ssize_t read(int fd, std::span<uint8_t> room) override;
  ssize_t write(int fd, std::span<const uint8_t> head, std::span<const uint8_t> body) override;
  void finish(int fd) override;

 private:
  // 1 when the upgrade is done and `rest` holds what came behind it, else as read().
  ssize_t shake_hands(int fd, std::span<uint8_t> room, std::string& rest);
  // Takes frames off the `got` bytes at the front of room and answers control frames.
  ssize_t unframe(int fd, std::span<uint8_t> room, size_t got);
  void say(int fd, uint8_t opcode, std::string_view payload);
  void say_close(int fd, uint16_t code);
  bool flush_control(int fd);  // false: the socket takes no more now

  std::unique_ptr<Stream> below_;
  std::string pending_;  // before the upgrade the request so far, after it control frames that are to be sent
  WebSocketFrames frames_;
  uint64_t frame_left_ = 0;  // payload of our frame at hand that the socket has not taken
  std::array<uint8_t, 10> header_{};
  uint8_t header_size_ = 0, header_sent_ = 0;
  bool is_open_ = false;    // the upgrade was answered
  bool is_closed_ = false;  // a close frame was sent
};

}  // namespace selfconn
