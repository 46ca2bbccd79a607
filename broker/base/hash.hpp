// Hashes. `stable_hash` is part of formats that outlive the process (message ids, idempotency keys, virtual shards)
// and must never change. For in-memory tables use `StringHash`: seeded per process, so that nobody who chooses ids can
// choose collisions.
#pragma once

#include <cstdint>
#include <string_view>

namespace godwit {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

uint64_t stable_hash(std::string_view bytes, uint64_t seed = 0);
Hash128 stable_hash128(std::string_view bytes, uint64_t seed = 0);

uint64_t process_hash_seed();

// Transparent hash for boost::unordered_flat_map and friends; pair with std::equal_to<>.
struct StringHash {
  using is_transparent = void;
  using is_avalanching = void;
  size_t operator()(std::string_view s) const { return stable_hash(s, process_hash_seed()); }
};

}  // namespace godwit
