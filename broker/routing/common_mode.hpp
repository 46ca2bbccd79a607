// CommonMode: is everything worse right now, on all channels at once (a network, our own exit, a national holiday)?
// Then a channel's failures are not its own. For each channel: successes of all the others over what was expected of
// them.
#pragma once

#include <algorithm>
#include <array>

#include "broker/base/bytes.hpp"
#include "broker/routing/decay.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

class CommonMode {
 public:
  void settled(ChannelNo channel, bool success, double expected, double t) {
    channels_[channel].expected.add(t, kHalfLife_s, expected);
    if (success) channels_[channel].successes.add(t, kHalfLife_s, 1);
  }
  double ratio(ChannelNo channel, size_t channels, double t) const {
    double s = kPrior, n = kPrior;
    for (size_t c = 0; c < channels; ++c) {
      if (c == channel) continue;
      s += channels_[c].successes.read(t, kHalfLife_s);
      n += channels_[c].expected.read(t, kHalfLife_s);
    }
    return std::clamp(s / n, 0.3, 1.05);
  }

  void save(ByteWriter& out, size_t channels) const {
    for (size_t c = 0; c < channels; ++c)
      for (const Decayed& d : {channels_[c].successes, channels_[c].expected}) out.f64(d.sum), out.f64(d.at);
  }
  void restore(ByteReader& in, const std::vector<ChannelNo>& channel_of) {
    for (const ChannelNo c : channel_of)
      for (Decayed* d : {&channels_[c].successes, &channels_[c].expected}) {
        d->sum = in.f64(), d->at = in.f64();
        if (!(d->sum >= 0 && d->sum < 1e15 && d->at >= 0 && d->at < 1e15)) in.fail();
      }
  }

 private:
  static constexpr double kHalfLife_s = 1200, kPrior = 30;
  struct Sums {
    Decayed successes, expected;
  };
  std::array<Sums, kMaxChannels> channels_{};
};

}  // namespace godwit::routing
