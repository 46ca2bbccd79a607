// ConnectRate limits how many connections one address may open in a second: a token bucket each, two seconds deep.
//
// The table has a fixed size (a storm from a million addresses must not become a memory problem). An address that finds
// its place taken pushes out whoever connected longest ago, who then starts with a full bucket: the limit errs towards
// letting people in. IPv6 addresses count by /64, since that is what one customer gets. One thread.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <vector>

namespace selfconn {

class ConnectRate {
 public:
  // 0 = no limit.
  explicit ConnectRate(uint32_t per_second) : per_second_(per_second) {
    if (per_second_ > 0) buckets_.resize(kSets * kWays);
  }

  // The key of an address; IPv4 in an IPv6 socket is the IPv4 address.
  static uint64_t key_of(const sockaddr_storage& address);

  bool allow(uint64_t key, uint64_t now_ms);

 private:
  static constexpr size_t kSets = 1024, kWays = 4;
  struct Bucket {
    uint64_t key = 0;
    uint64_t filled_ms = 0;  // when it was last looked at
    uint64_t milli_tokens = 0;
    bool used = false;
  };

  uint32_t per_second_;
  std::vector<Bucket> buckets_;
};

}  // namespace selfconn
