#include "broker/base/message_id.hpp"

#include <array>

namespace godwit {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford: no i, l, o, u

constexpr std::array<int8_t, 256> make_decode_table() {
  std::array<int8_t, 256> table{};
  for (int8_t& v : table) v = -1;
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
  return table;
}
constexpr auto kDecode = make_decode_table();

}  // namespace

MessageId MessageId::make(WallMs time_ms, uint32_t vshard, Hash128 entropy) {
  const uint64_t time = static_cast<uint64_t>(time_ms) & ((1ull << 44) - 1);
  return {(time << 20) | (static_cast<uint64_t>(vshard & 0xfff) << 8) | (entropy.high & 0xff), entropy.low};
}

std::string MessageId::text() const {
  std::string out(26, '0');
  unsigned __int128 v = (static_cast<unsigned __int128>(high) << 64) | low;
  for (int i = 25; i >= 0; --i) {
    out[static_cast<size_t>(i)] = kAlphabet[static_cast<size_t>(v & 31)];
    v >>= 5;
  }
  return out;
}

std::optional<MessageId> MessageId::parse(std::string_view text) {
  if (text.size() != 26) return std::nullopt;
  if (text[0] > '7') return std::nullopt;  // 26 characters carry 130 bits: the first two must be zero
  unsigned __int128 v = 0;
  for (const char c : text) {
    const int8_t digit = kDecode[static_cast<unsigned char>(c)];
    if (digit < 0) return std::nullopt;
    v = (v << 5) | static_cast<unsigned>(digit);
  }
  return MessageId{static_cast<uint64_t>(v >> 64), static_cast<uint64_t>(v)};
}

uint32_t vshard_of(std::string_view app, std::string_view subject) {
  return static_cast<uint32_t>(stable_hash(subject, stable_hash(app)) % kVirtualShards);
}

}  // namespace godwit
