#include "plugins/selfconn/stream/websocket_frames.hpp"

#include <algorithm>

namespace selfconn {
namespace {

constexpr uint8_t kContinuation = 0, kText = 1;
constexpr uint8_t kFinal = 0x80, kReserved = 0x70, kMasked = 0x80;
constexpr size_t kMaxControl = 125;

bool is_control(uint8_t opcode) {
  return opcode & 8;
}

}  // namespace

// What the bytes of the header that are there say about its size.
size_t WebSocketFrames::header_needed() const {
  if (header_size_ < 2) return 2;
  const uint8_t length = header_[1] & 0x7F;
  return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + 4;
}

bool WebSocketFrames::begin_frame() {
  const uint8_t first = header_[0];
  opcode_ = first & 0x0F;
  const bool is_final = first & kFinal;
  const uint8_t short_length = header_[1] & 0x7F;
  const size_t extra = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
  left_ = extra == 0 ? short_length : 0;
  for (size_t i = 0; i < extra; ++i) left_ = left_ << 8 | header_[2 + i];
  std::copy_n(header_.begin() + 2 + static_cast<long>(extra), 4, mask_.begin());
  mask_at_ = 0;

  code_ = kProtocolError;
  if ((first & kReserved) || !(header_[1] & kMasked)) return false;
  if ((extra == 2 && left_ < 126) || (extra == 8 && (left_ < 65'536 || left_ >> 63))) return false;
  if (is_control(opcode_)) {
    if (!is_final || left_ > kMaxControl || opcode_ > kPong) return false;
    control_.clear();
    return true;
  }
  if (opcode_ == kText) {
    code_ = kUnsupportedData;
    return false;
  }
  if (opcode_ > kBinary || (opcode_ == kContinuation) != in_message_) return false;
  in_message_ = !is_final;
  return true;
}

void WebSocketFrames::unmask(std::span<const uint8_t> from, uint8_t* to) {
  for (uint8_t byte : from) *to++ = byte ^ mask_[mask_at_++ & 3];
}

WebSocketFrames::Step::Event WebSocketFrames::end_frame() {
  in_frame_ = false;
  header_size_ = 0;
  if (opcode_ == kPing) return Step::Event::ping;
  if (opcode_ != kClose) return Step::Event::none;
  // A close may say nothing, or a code of two bytes and a text; one byte is neither.
  code_ = control_.size() == 1 ? kProtocolError : kNormal;
  return Step::Event::close;
}

WebSocketFrames::Step WebSocketFrames::take(std::span<uint8_t> bytes) {
  Step step;
  while (step.consumed < bytes.size() || (in_frame_ && left_ == 0)) {
    if (!in_frame_) {
      header_[header_size_++] = bytes[step.consumed++];
      // An unmasked frame is a breach as soon as it says so: its mask, the rest of the header, may never come.
      const bool is_unmasked = header_size_ == 2 && !(header_[1] & kMasked);
      if (!is_unmasked && (header_size_ < 2 || header_size_ < header_needed())) continue;
      in_frame_ = true;
      if (!begin_frame()) {
        step.event = Step::Event::fault;
        step.code = code_;
        return step;
      }
    } else if (left_ > 0) {
      const size_t count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - step.consumed));
      const auto part = bytes.subspan(step.consumed, count);
      if (is_control(opcode_)) {
        const size_t before = control_.size();
        control_.resize(before + count);
        unmask(part, reinterpret_cast<uint8_t*>(control_.data()) + before);
      } else {
        unmask(part, bytes.data() + step.payload);
        step.payload += count;
      }
      step.consumed += count;
      left_ -= count;
    }
    if (in_frame_ && left_ == 0) {
      step.event = end_frame();
      step.code = code_;
      if (step.event != Step::Event::none) return step;
    }
  }
  return step;
}

size_t WebSocketFrames::write_header(uint8_t opcode, uint64_t length, std::span<uint8_t, 10> room) {
  room[0] = kFinal | opcode;
  const size_t extra = length < 126 ? 0 : length < 65'536 ? 2 : 8;
  room[1] = extra == 0 ? static_cast<uint8_t>(length) : extra == 2 ? 126 : 127;
  for (size_t i = 0; i < extra; ++i) room[2 + i] = static_cast<uint8_t>(length >> (8 * (extra - 1 - i)));
  return 2 + extra;
}

}  // namespace selfconn
