// BackOff says how long to wait before the next connection: full jitter, so that a server that comes back is not met by
// all brokers at once. What a person must mend is tried rarely, a name that is taken slowly.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "plugins/xmpp/login/login.hpp"

namespace xmpp {

class BackOff {
 public:
  explicit BackOff(uint64_t seed) : random_(seed) {}

  void succeeded() { failures_ = 0; }
  // Milliseconds.
  uint64_t next(LinkFault::Kind why) {
    if (why == LinkFault::Kind::configuration) return between(30'000, 60'000);
    if (why == LinkFault::Kind::conflict) return between(10'000, 30'000);
    const uint64_t ceiling = std::min<uint64_t>(60'000, uint64_t{500} << std::min(failures_++, 8u));
    return between(0, ceiling);
  }

 private:
  uint64_t between(uint64_t low, uint64_t high) { return std::uniform_int_distribution<uint64_t>(low, high)(random_); }
  std::mt19937_64 random_;
  unsigned failures_ = 0;
};

}  // namespace xmpp
