// Pieces that the encoders of records.hpp share. Not for other folders.
#pragma once

#include <optional>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/message/records.hpp"

namespace godwit::records::fields {

constexpr uint8_t kVersion = 1;

inline void begin(ByteWriter& out, MessageId id) {
  out.u8(kVersion);
  out.u64(id.high);
  out.u64(id.low);
}

inline std::optional<MessageId> start(ByteReader& in) {
  if (in.u8() != kVersion) return std::nullopt;
  const MessageId id{in.u64(), in.u64()};
  if (in.failed()) return std::nullopt;
  return id;
}

// An enum of which `last` is the last value; anything beyond fails the reader.
template <class E>
E in_range(ByteReader& in, E last) {
  const uint8_t v = in.u8();
  if (v > static_cast<uint8_t>(last)) {
    in.fail();
    return E{};
  }
  return static_cast<E>(v);
}

// A counted list. An item takes at least `least` bytes, so a lying count cannot make us reserve more than the input.
template <class T, class Read>
void read_many(ByteReader& in, size_t least, std::vector<T>& out, Read read) {
  const uint64_t n = in.varint();
  if (in.failed() || n > in.left() / least) {
    in.fail();
    return;
  }
  out.reserve(static_cast<size_t>(n));
  for (uint64_t i = 0; i < n && !in.failed(); ++i) out.push_back(read(in));
}

// Times come from the disk: a damaged one must not be undefined behaviour.
inline int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
inline int64_t wrapping_sub(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

void put_progress(ByteWriter& out, const Progress& progress);
Progress get_progress(ByteReader& in);

}  // namespace godwit::records::fields
