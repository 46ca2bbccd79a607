#include "broker/base/hash.hpp"

#include <openssl/rand.h>
#include <xxhash.h>

namespace godwit {

uint64_t stable_hash(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash128 stable_hash128(std::string_view bytes, uint64_t seed) {
  const XXH128_hash_t h = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {h.high64, h.low64};
}

uint64_t process_hash_seed() {
  static const uint64_t seed = [] {
    uint64_t v = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&v), sizeof v);
    return v;
  }();
  return seed;
}

}  // namespace godwit
