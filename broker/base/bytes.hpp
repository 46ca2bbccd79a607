// ByteWriter and ByteReader: the encoding of everything of ours that outlives a process (journal records, snapshots,
// device credentials). Little-endian fixed integers, LEB128 varints, length-prefixed strings.
//
// The reader never throws and never reads past the end: the first bad field makes it `failed()`, every later read
// answers zero or empty, and the caller checks once at the end. Views it returns point into the bytes it was given.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace godwit {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u16(uint16_t v) { fixed(v); }
  void u32(uint32_t v) { fixed(v); }
  void u64(uint64_t v) { fixed(v); }
  void f64(double v) {
    uint64_t bits;
    std::memcpy(&bits, &v, 8);
    fixed(bits);
  }
  void varint(uint64_t v) {
    while (v >= 0x80) {
      u8(static_cast<uint8_t>(v) | 0x80);
      v >>= 7;
    }
    u8(static_cast<uint8_t>(v));
  }
  void zigzag(int64_t v) { varint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63)); }
  void raw(std::string_view bytes) { out_.append(bytes); }
  void str(std::string_view bytes) {
    varint(bytes.size());
    out_.append(bytes);
  }

 private:
  template <class T>
  void fixed(T v) {  // x86-64 and arm64 are little-endian; a static_assert in bytes.cpp holds it
    char raw[sizeof v];
    std::memcpy(raw, &v, sizeof v);
    out_.append(raw, sizeof v);
  }
  std::string& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}

  uint8_t u8() { return fixed<uint8_t>(); }
  uint16_t u16() { return fixed<uint16_t>(); }
  uint32_t u32() { return fixed<uint32_t>(); }
  uint64_t u64() { return fixed<uint64_t>(); }
  double f64() {
    const uint64_t bits = u64();
    double v;
    std::memcpy(&v, &bits, 8);
    return v;
  }
  uint64_t varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = u8();
      v |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return v;
    }
    failed_ = true;
    return 0;
  }
  int64_t zigzag() {
    const uint64_t v = varint();
    return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
  }
  std::string_view raw(size_t n) {
    if (failed_ || n > in_.size() - at_) {
      failed_ = true;
      return {};
    }
    const std::string_view out = in_.substr(at_, n);
    at_ += n;
    return out;
  }
  std::string_view str() {
    const uint64_t n = varint();
    return raw(static_cast<size_t>(n));
  }

  bool failed() const { return failed_; }
  size_t left() const { return in_.size() - at_; }
  bool at_end() const { return !failed_ && at_ == in_.size(); }
  void fail() { failed_ = true; }

 private:
  template <class T>
  T fixed() {
    T v = 0;
    if (failed_ || sizeof v > in_.size() - at_) {
      failed_ = true;
      return 0;
    }
    std::memcpy(&v, in_.data() + at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  std::string_view in_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace godwit
