// What can be offered to the router for one delivery.
#pragma once

#include <array>
#include <cstdint>

#include "broker/routing/router.hpp"

namespace godwit::engine {

struct Offers {
  std::array<routing::Offer, routing::kMaxChannels> list;
  size_t size = 0;
  uint32_t awake = 0;     // bits of our channel numbers
  bool may_wake = false;  // one is asleep for a reason that can pass
  bool offline = false;   // our own connection would carry it, but the device is away
};

}  // namespace godwit::engine
