// A device packed for memory: one run of bytes, shared words as numbers of the StringPool, topics as numbers of the
// TopicTable, small integers as varints. The layout lives and dies with the process; what outlives it is
// device_codec.hpp.
//
// The bytes are our own, so readers trust them and check nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "broker/base/bytes.hpp"
#include "broker/registry/device_fields.hpp"
#include "broker/registry/string_pool.hpp"

namespace godwit {

// Appends the packed device to `out` and becomes a user of each word in it. `app` is the registry's number of the app.
void pack_device(std::string& out, const DeviceFields& device, uint32_t app, std::span<const uint32_t> topics,
                 StringPool& words);

// Reads a packed device. The fields come in the order in which look-ups need them; each reader skips those before it.
class PackedDevice {
 public:
  explicit PackedDevice(const char* bytes) : bytes_(reinterpret_cast<const uint8_t*>(bytes)) {}

  uint32_t app() const;
  std::string_view id() const;
  std::string_view user() const;
  uint32_t word(Attribute attribute) const;
  uint64_t version() const;

  struct Channel {
    uint32_t word;
    bool invalid;
    WallMs registered_ms;
    std::string_view token;
    bool is_live() const { return !invalid && !token.empty(); }
  };
  // Calls f(Channel) for each until it answers false.
  template <class F>
  void for_each_channel(F&& f) const;
  std::optional<Channel> channel(uint32_t word) const;
  template <class F>
  void for_each_topic(F&& f) const;

  // Everything but the app's name and the topics' names. Views last as long as the packed bytes and the words.
  void unpack(const StringPool& words, DeviceFields& out) const;

  // Stops being a user of its words, before the bytes go.
  void release(StringPool& words) const;

 private:
  // Walks over the bytes.
  struct Cursor {
    const uint8_t* at;
    uint64_t varint() {
      uint64_t v = *at & 0x7f;
      for (int shift = 7; *at++ & 0x80; shift += 7) v |= uint64_t{*at & 0x7fu} << shift;
      return v;
    }
    uint32_t small() { return static_cast<uint32_t>(varint()); }
    int64_t zigzag() {
      const uint64_t v = varint();
      return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
    }
    std::string_view str() {
      const size_t n = varint();
      const std::string_view s(reinterpret_cast<const char*>(at), n);
      at += n;
      return s;
    }
    void skip() {
      while (*at++ & 0x80) {
      }
    }
    void skip(size_t n) {
      while (n-- > 0) skip();
    }
    template <class T>
    T fixed() {
      T v;
      std::memcpy(&v, at, sizeof v);
      at += sizeof v;
      return v;
    }
  };
  // Before a channel's fields.
  struct Times {
    WallMs updated_ms, created_ms;
    uint32_t generation;
    uint64_t version;
  };

  Cursor at_words() const;
  static Times read_times(Cursor& in);
  static Channel read_channel(Cursor& in, WallMs updated_ms);
  static std::optional<Location> read_location(Cursor& in);
  Cursor after_channels() const;

  const uint8_t* bytes_;
};

// Differences of times wrap like unsigned numbers: whatever a record claims, reading gives back what was written.
inline WallMs plus_wrapped(WallMs a, int64_t b) {
  return static_cast<WallMs>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

inline PackedDevice::Cursor PackedDevice::at_words() const {
  Cursor in{bytes_};
  in.skip();
  in.str();
  in.str();
  return in;
}

inline PackedDevice::Times PackedDevice::read_times(Cursor& in) {
  Times t;
  t.version = in.varint();
  t.generation = in.small();
  t.updated_ms = in.zigzag();
  t.created_ms = plus_wrapped(t.updated_ms, in.zigzag());
  return t;
}

inline PackedDevice::Channel PackedDevice::read_channel(Cursor& in, WallMs updated_ms) {
  Channel c;
  const uint64_t head = in.varint();
  c.word = static_cast<uint32_t>(head >> 1);
  c.invalid = head & 1;
  c.registered_ms = plus_wrapped(updated_ms, in.zigzag());
  c.token = in.str();
  return c;
}

template <class F>
void PackedDevice::for_each_channel(F&& f) const {
  Cursor in = at_words();
  in.skip(kAttributes);
  const Times times = read_times(in);
  for (uint64_t n = in.varint(); n > 0; --n)
    if (!f(read_channel(in, times.updated_ms))) return;
}

template <class F>
void PackedDevice::for_each_topic(F&& f) const {
  Cursor in = after_channels();
  read_location(in);
  in.skip(in.varint());  // tags
  for (uint64_t n = in.varint(); n > 0; --n) f(in.small());
}

}  // namespace godwit
