// Levels: the statistics that devices share, per channel: of the whole fleet, of a manufacturer, of a segment. Each
// level leans on the one above it until it has seen enough itself (hierarchical empirical Bayes).
//
// Sums carry forward decay: they only mean something divided by today's weight (`inverse`).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

struct Pool {
  double successes = 0, trials = 0;

  void add(double s, double n) {
    successes += s;
    trials = std::max(0.0, trials + n);
  }
  // Single outcomes may count as more than one success or less than none; their sum is read as what it can be.
  double good(double inverse) const { return std::clamp(successes, 0.0, trials) * inverse; }
};

// How many trials the level above is worth. Learned where the data allow it.
struct Strengths {
  double maker = 6, segment = 25, device = 6;
};

class Levels {
 public:
  void set_shape(size_t channels, size_t makers, size_t segments);

  void add(ChannelNo channel, uint16_t maker, uint32_t segment, double successes, double trials) {
    fleet_[channel].add(successes, trials);
    this->maker(channel, maker).add(successes, trials);
    this->segment(channel, segment).add(successes, trials);
  }

  // The receipt rate that a device of this segment is expected to have before it is known itself.
  // `maker_odds`: how much better than the fleet the operator believes this manufacturer to be, as a ratio of odds.
  double mean(ChannelNo channel, uint16_t maker, uint32_t segment, double inverse, double prior, double maker_odds,
              const Strengths& strengths) const {
    const Pool& f = fleet_[channel];
    double g = (f.good(inverse) + kPriorTrials * prior) / (f.trials * inverse + kPriorTrials);
    if (maker_odds != 1) g = g * maker_odds / (1 - g + g * maker_odds);
    const Pool& m = this->maker(channel, maker);
    const double above = (m.good(inverse) + strengths.maker * g) / (m.trials * inverse + strengths.maker);
    const Pool& s = this->segment(channel, segment);
    return (s.good(inverse) + strengths.segment * above) / (s.trials * inverse + strengths.segment);
  }

  const Pool& fleet(ChannelNo channel) const { return fleet_[channel]; }
  const Pool& maker(ChannelNo channel, uint16_t maker) const { return makers_[maker * stride_ + channel]; }
  const Pool& segment(ChannelNo channel, uint32_t segment) const { return segments_[segment * stride_ + channel]; }

  // kappa_S from the variance between segments inside each manufacturer, beyond their binomial noise; the old value
  // where there is too little to tell.
  double segment_strength(ChannelNo channel, double inverse, std::span<const uint16_t> maker_of_segment,
                          double old) const;

  void scale(double factor);
  void save(ByteWriter& out, size_t channels) const;
  // Numbers of channels are translated by `channel_of`; the shape must have been set. `same_segments`: false where
  // they were cut in another way; then they are learned anew, from what is known of their manufacturers.
  void restore(ByteReader& in, const std::vector<ChannelNo>& channel_of, bool same_segments);

  static constexpr double kPriorTrials = 3;

 private:
  Pool& maker(ChannelNo channel, uint16_t maker) { return makers_[maker * stride_ + channel]; }
  Pool& segment(ChannelNo channel, uint32_t segment) { return segments_[segment * stride_ + channel]; }

  size_t stride_ = 0;
  size_t maker_count_ = 0, segment_count_ = 0;
  std::array<Pool, kMaxChannels> fleet_{};
  std::vector<Pool> makers_, segments_;  // [kind * stride_ + channel]
};

}  // namespace godwit::routing
