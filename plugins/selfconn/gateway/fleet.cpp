#include "plugins/selfconn/gateway/fleet.hpp"

#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace selfconn {
namespace {

uint64_t random_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

Fleet::Fleet(godwit::Host host_, Settings settings_)
    : host(host_),
      credentials(host_),
      settings(std::move(settings_)),
      hash_seed(random_seed()),
      seq(host_.now_wall_ms() << 20) {}

uint64_t Fleet::hash_of(std::string_view address) const {
  return XXH3_64bits_withSeed(address.data(), address.size(), hash_seed);
}

}  // namespace selfconn
