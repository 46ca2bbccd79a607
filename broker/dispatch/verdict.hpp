// What a disposition means for the delivery: plugin-abi.md §8 as a table.
#pragma once

#include "broker/channels/port.hpp"

namespace godwit::dispatch {

enum class Step : uint8_t {
  sent,          // the vendor took it
  delivered,     // the device has it
  try_again,     // the same channel after a back-off, then the next one
  hold,          // the same channel when it may be used again; not a failure
  next_channel,  // at once
  refuse,        // the next channel if it is of another kind, else failed
  withdrawn,     // never left because we asked
  too_late,      // never left because its time was over
  unclear,       // may have been taken: again, unless a second send would cost
};

struct Verdict {
  Step step;
  bool channels_fault;    // speaks against the channel (its circuit breaker counts it)
  bool may_have_arrived;  // the cascade must reckon with a receipt
  bool drops_token;       // the registration token is dead
};

constexpr Verdict verdict_of(Disposition d) {
  switch (d) {
    case Disposition::accepted:
      return {Step::sent, false, true, false};
    case Disposition::delivered:
      return {Step::delivered, false, true, false};
    case Disposition::retry:
      return {Step::try_again, true, false, false};
    case Disposition::throttled:
      return {Step::hold, false, false, false};
    case Disposition::unreachable:
      return {Step::next_channel, false, false, false};
    case Disposition::target_invalid:
      return {Step::next_channel, false, false, true};
    case Disposition::rejected:
      return {Step::refuse, false, false, false};
    case Disposition::config:
      return {Step::next_channel, true, false, false};
    case Disposition::unknown:
      return {Step::unclear, true, true, false};
    case Disposition::cancelled:
      return {Step::withdrawn, false, false, false};
    case Disposition::expired:
      return {Step::too_late, false, false, false};
  }
  return {Step::unclear, true, true, false};  // a value that a newer plugin host made up
}

}  // namespace godwit::dispatch
