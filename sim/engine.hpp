// run: plays a source to one policy and scores it. The simulated counterpart of the broker's dispatcher: it keeps the
// timers, delivers receipts when they are due, and tells the policy what the broker would know.
#pragma once

#include <functional>

#include "sim/policy.hpp"
#include "sim/score.hpp"

namespace godwit::sim {

enum class Play : uint8_t { single, cascade };  // one send a message, or the next channel after silence

// `progress` gets the share of simulated time that is over, about a hundred times.
Score run(Source& source, Policy& policy, Play play, const std::function<void(double)>& progress = {});

}  // namespace godwit::sim
