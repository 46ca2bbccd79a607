// WebSocketFrames takes a client's WebSocket frames off its bytes, in place (RFC 6455, 5.2): what is left is MQTT.
//
// Packets may be spread over frames and frames over reads as the client likes; data is never collected, only a frame's
// header and the payload of a control frame (at most 125 bytes) are. Pure; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace selfconn {

class WebSocketFrames {
 public:
  // Close codes of RFC 6455, 7.4.1.
  static constexpr uint16_t kNormal = 1000, kProtocolError = 1002, kUnsupportedData = 1003;

  struct Step {
    size_t consumed = 0;  // of the input; less than all of it only when there is something to answer
    size_t payload = 0;   // MQTT bytes, moved to the front of the input
    enum class Event : uint8_t { none, ping, close, fault } event = Event::none;
    uint16_t code = 0;  // of close and fault: what to close with
  };

  // Goes on until the input is used up or a control frame or a fault wants an answer. Call again with the rest.
  Step take(std::span<uint8_t> bytes);

  // After Event::ping: what the pong repeats.
  const std::string& control() const { return control_; }

  // Header of an unmasked frame from us. Returns its size (2 to 10).
  static size_t write_header(uint8_t opcode, uint64_t length, std::span<uint8_t, 10> room);
  static constexpr uint8_t kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

 private:
  size_t header_needed() const;
  bool begin_frame();  // false: a breach; code_ says which
  void unmask(std::span<const uint8_t> from, uint8_t* to);
  Step::Event end_frame();

  uint64_t left_ = 0;  // payload bytes of the frame
  std::array<uint8_t, 4> mask_{};
  std::array<uint8_t, 14> header_{};
  uint8_t header_size_ = 0;
  uint8_t mask_at_ = 0;
  uint8_t opcode_ = 0;
  bool in_frame_ = false;    // the header is complete
  bool in_message_ = false;  // the last data frame was not the final one
  uint16_t code_ = kNormal;
  std::string control_;
};

}  // namespace selfconn
