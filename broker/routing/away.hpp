// Away: the share of first sends that find the device out of reach for a while (no network, switched off), learned from
// receipts that come far too late. A late receipt says something about the device's owner, nothing about the channel.
#pragma once

#include "broker/base/bytes.hpp"
#include "broker/routing/decay.hpp"

namespace godwit::routing {

constexpr double kTooLate_s = 180;  // a receipt after this is neutral for the channel

class Away {
 public:
  double share(double t) const {
    return (kPriorTrials * kPriorShare + late_.read(t, kHalfLife_s)) / (kPriorTrials + all_.read(t, kHalfLife_s));
  }
  void receipt(double t, bool late) {
    all_.add(t, kHalfLife_s, 1);
    if (late) late_.add(t, kHalfLife_s, 1);
  }

  void save(ByteWriter& out) const {
    for (const double v : {late_.sum, late_.at, all_.sum, all_.at}) out.f64(v);
  }
  void restore(ByteReader& in) {
    late_ = {in.f64(), in.f64()}, all_ = {in.f64(), in.f64()};
    if (!(late_.sum >= 0 && all_.sum >= late_.sum && all_.sum < 1e15)) in.fail();
  }

 private:
  static constexpr double kHalfLife_s = 2 * 3600, kPriorTrials = 50, kPriorShare = 0.04;
  Decayed late_, all_;
};

// P(device uninstalled or switched off for good), from the channels that were silent since the last sign of life.
// The evidence of one channel is capped: one dead token must not make the device "gone".
inline double dormancy(bool ever_alive, double silence_nats) {
  if (silence_nats <= 0) return 0;
  const double prior = ever_alive ? 0.02 : 0.05;
  return prior / (prior + (1 - prior) * std::exp(-silence_nats));
}

}  // namespace godwit::routing
