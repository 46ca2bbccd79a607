// Env gathers what is not deterministic, so that a test or a simulation can put its own in: time and randomness now,
// network and disk faults when the simulator needs them.
#pragma once

#include "broker/base/clock.hpp"
#include "broker/base/random.hpp"

namespace godwit {

struct Env {
  const Clock& clock;
  Random& random;  // owned by the thread that owns the Env
};

}  // namespace godwit
