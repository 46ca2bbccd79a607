#include "plugins/selfconn/gateway/connect_rate.hpp"

#include <algorithm>
#include <cstring>

namespace selfconn {

uint64_t ConnectRate::key_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr;
  }
  if (address.ss_family != AF_INET6) return 0;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    uint32_t v4;
    std::memcpy(&v4, v6.s6_addr + 12, 4);
    return v4;
  }
  uint64_t network;
  std::memcpy(&network, v6.s6_addr, 8);
  return network ^ 0x9E3779B97F4A7C15u;
}

bool ConnectRate::allow(uint64_t key, uint64_t now_ms) {
  if (per_second_ == 0) return true;
  const uint64_t full = uint64_t{per_second_} * 2000;
  const size_t set = (key * 0x9E3779B97F4A7C15u >> 40) % kSets;
  Bucket* const first = &buckets_[set * kWays];
  Bucket* bucket = std::find_if(first, first + kWays, [key](const Bucket& b) { return b.used && b.key == key; });
  if (bucket == first + kWays) {
    bucket = std::min_element(first, first + kWays, [](const Bucket& a, const Bucket& b) {
      return a.used != b.used ? !a.used : a.filled_ms < b.filled_ms;
    });
    *bucket = {key, now_ms, full, true};
  }
  const uint64_t waited_ms = now_ms > bucket->filled_ms ? std::min<uint64_t>(now_ms - bucket->filled_ms, 2000) : 0;
  bucket->milli_tokens = std::min(full, bucket->milli_tokens + waited_ms * per_second_);
  bucket->filled_ms = now_ms;
  if (bucket->milli_tokens < 1000) return false;
  bucket->milli_tokens -= 1000;
  return true;
}

}  // namespace selfconn
