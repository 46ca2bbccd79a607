// Cursor walks over received bytes and never past their end: each read takes its bytes, or takes nothing and says
// false. Sink is its counterpart for writing into a caller's buffer that was measured before.
#pragma once

#include <cassert>
#include <cstring>

#include "plugins/selfconn/codec/types.hpp"

namespace godwit::mqtt {

inline constexpr uint32_t kMaxVarint = 268'435'455;  // four bytes of 7 bits

class Cursor {
 public:
  explicit Cursor(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  size_t left() const { return static_cast<size_t>(end_ - at_); }
  bool empty() const { return at_ == end_; }
  const uint8_t* position() const { return at_; }

  bool u8(uint8_t& out) {
    if (left() < 1) return false;
    out = *at_++;
    return true;
  }
  bool u16(uint16_t& out) {
    if (left() < 2) return false;
    out = static_cast<uint16_t>(at_[0] << 8 | at_[1]);
    at_ += 2;
    return true;
  }
  bool u32(uint32_t& out) {
    if (left() < 4) return false;
    out = uint32_t{at_[0]} << 24 | uint32_t{at_[1]} << 16 | uint32_t{at_[2]} << 8 | at_[3];
    at_ += 4;
    return true;
  }
  // A variable byte integer in its shortest form [MQTT-1.5.5-1].
  bool varint(uint32_t& out) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4 && i < left(); ++i) {
      value |= uint32_t{at_[i] & 0x7Fu} << (7 * i);
      if (at_[i] & 0x80) continue;
      if (i > 0 && at_[i] == 0) return false;  // a longer form than needed
      at_ += i + 1;
      out = value;
      return true;
    }
    return false;
  }
  bool bytes(size_t count, Bytes& out) {
    if (left() < count) return false;
    out = Bytes(at_, count);
    at_ += count;
    return true;
  }
  // Two bytes of length, then the bytes: binary data, and strings before their UTF-8 was checked.
  bool binary(Bytes& out) {
    if (left() < 2) return false;
    const size_t count = static_cast<size_t>(at_[0] << 8 | at_[1]);
    if (left() - 2 < count) return false;
    out = Bytes(at_ + 2, count);
    at_ += 2 + count;
    return true;
  }
  bool raw_text(std::string_view& out) {
    Bytes view;
    if (!binary(view)) return false;
    out = std::string_view(reinterpret_cast<const char*>(view.data()), view.size());
    return true;
  }
  Bytes rest() {
    Bytes all(at_, left());
    at_ = end_;
    return all;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

constexpr size_t varint_size(uint32_t value) {
  return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

// REQUIRES: the caller measured; there is room for whatever is written.
class Sink {
 public:
  explicit Sink(uint8_t* at) : at_(at) {}
  uint8_t* position() const { return at_; }

  void u8(uint8_t value) { *at_++ = value; }
  void u16(uint16_t value) {
    u8(static_cast<uint8_t>(value >> 8));
    u8(static_cast<uint8_t>(value));
  }
  void u32(uint32_t value) {
    u16(static_cast<uint16_t>(value >> 16));
    u16(static_cast<uint16_t>(value));
  }
  void varint(uint32_t value) {
    assert(value <= kMaxVarint);
    for (; value >= 128; value >>= 7) u8(static_cast<uint8_t>(value | 0x80));
    u8(static_cast<uint8_t>(value));
  }
  void bytes(Bytes value) {
    if (!value.empty()) std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  void binary(Bytes value) {
    assert(value.size() <= 65'535);
    u16(static_cast<uint16_t>(value.size()));
    bytes(value);
  }
  void text(std::string_view value) { binary(Bytes(reinterpret_cast<const uint8_t*>(value.data()), value.size())); }

 private:
  uint8_t* at_;
};

}  // namespace godwit::mqtt
