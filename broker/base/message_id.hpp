// MessageId: 128 bits, printed as 26 characters of Crockford base-32 in lower case.
//
// Layout: time in ms (44 bits) | virtual shard (12) | hash of the idempotency key, or random (72). The time part sorts
// ids and tells which journal segments can hold a message; the virtual shard tells which node owns it without a
// look-up. An id reveals nothing about the customer.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/clock.hpp"
#include "broker/base/hash.hpp"

namespace godwit {

constexpr uint32_t kVirtualShards = 1024;  // fixed for the life of a cluster

struct MessageId {
  uint64_t high = 0;
  uint64_t low = 0;

  auto operator<=>(const MessageId&) const = default;
  bool is_nil() const { return high == 0 && low == 0; }

  WallMs time_ms() const { return static_cast<WallMs>(high >> 20); }
  uint32_t vshard() const { return static_cast<uint32_t>(high >> 8) & 0xfff; }

  // `entropy` fills the lower 72 bits: random, or stable_hash128(app, idempotency key).
  static MessageId make(WallMs time_ms, uint32_t vshard, Hash128 entropy);

  std::string text() const;                                      // 26 characters
  static std::optional<MessageId> parse(std::string_view text);  // refuses anything that text() would not print
};

// The virtual shard of a subject (user id of a bound device, else device id) of an app.
uint32_t vshard_of(std::string_view app, std::string_view subject);

struct MessageIdHash {
  using is_avalanching = void;
  size_t operator()(const MessageId& id) const {
    uint64_t x = id.low ^ (id.high * 0x9e3779b97f4a7c15);  // low is random or a hash already
    x ^= x >> 32;
    return x * 0xd6e8feb86659fd93;
  }
};

}  // namespace godwit
