// Mixture: what kinds of devices there are on a channel, and which kind this one is.
//
// Delivery rates of phones do not lie around a mean: some tokens are dead, some phones are throttled by their battery
// settings, and the others are all about equally good. One bell (a Beta prior) fits none of them: five successes of
// five then look like 91 % where 80 % is true. So a device belongs to one of eight classes, each an offset from the
// segment's mean in log odds; the shares of the classes are learned per channel by online EM from what outcomes taught
// about devices (nonparametric empirical Bayes). The estimate is the mean over the classes, given the device's own
// outcomes.
//
// The rates of all classes for any mean come from a table, rebuilt now and then, so an estimate costs eight
// exponentials.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "broker/base/bytes.hpp"

namespace godwit::routing {

class Mixture {
 public:
  static constexpr size_t kClasses = 8;
  using Shares = std::array<float, kClasses>;

  Mixture();

  // What is believed of one device.
  struct Row;
  struct Belief {
    double mean = 0, variance = 0;  // of its rate
    Shares shares;                  // how likely it belongs to each class
    const Row* row = nullptr;       // until the next refresh()

    // E[max(0, rate - threshold)]: what it would be worth to know the rate where `threshold` is the alternative.
    double upside(double threshold) const;
  };
  // Of a device with these outcomes, in a segment of this mean.
  Belief believe(double segment_mean, double successes, double failures) const;

  // How much the device's rate moves with its segment's mean: 1 for a device not yet known.
  double sensitivity(double segment_mean, double successes, double failures) const;

  // One more outcome of a device that had these before. `novelty` is 1 for its first, less for later ones.
  void learn(double segment_mean, double successes, double failures, bool success, double novelty);

  // Brings the table up to what was learned; cheap when little was.
  void refresh();

  const Shares& shares() const { return shares_; }
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

 private:
  static constexpr size_t kRows = 128;
  const Row& row(double mean) const;
  // Probabilities of the classes given the outcomes.
  static void posterior(const Row& row, const Shares& shares, float successes, float failures, Shares& out);
  void build();

  Shares shares_;       // as learned
  Shares built_;        // as in the table
  double devices_ = 0;  // that taught something
  std::vector<Row> table_;
};

struct Mixture::Row {  // for one mean; base-2 logarithms
  Shares log_success, log_failure, rate;
  float mean;  // over the classes as a device not yet known belongs to them
};

}  // namespace godwit::routing
