// Coverage: the share of a channel's deliveries whose receipt comes back, and whether receipts are being lost right now
// (a blackout). What tells is the receipt of a later attempt: the device says "I had this one already, over that
// channel".
#pragma once

#include <algorithm>

#include "broker/base/bytes.hpp"
#include "broker/routing/decay.hpp"

namespace godwit::routing {

class Coverage {
 public:
  // The measured share; `nominal` is what the channel declares.
  double share(double nominal, double t) const {
    return blackout_ ? std::max(kFloor, estimate(fast_, kFast_s, kFastPrior, nominal, t))
                     : estimate(slow_, kSlow_s, kSlowPrior, nominal, t);
  }
  // Below 1 only when something is flagged: multiplying by noise would inflate every rate.
  double flagged_ratio(double nominal, double t) const {
    const double ratio = share(nominal, t) / nominal;
    return ratio < kFlag ? ratio : 1;
  }
  bool blackout() const { return blackout_; }

  void receipt(double nominal, double t);
  // A later attempt's receipt says that the device had this one, though no receipt came.
  void seen(double t);
  void not_seen(double t) { unseen_.add(t, kVote_s, 1); }
  // The receipt came after all.
  void take_back_seen(double t);

  // Whether the votes say that an alarmed channel in truth delivers. Turns the blackout on.
  bool detect(double t);

  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

 private:
  struct Sums {
    Decayed receipts, missing;
  };
  static double estimate(const Sums& sums, double half_life_s, double prior, double nominal, double t) {
    const double came = sums.receipts.read(t, half_life_s);
    return (prior * nominal + came) / (prior + came + kPerSeen * sums.missing.read(t, half_life_s));
  }
  static constexpr double kSlow_s = 900, kFast_s = 120, kVote_s = 300;
  static constexpr double kSlowPrior = 20, kFastPrior = 1, kFloor = 0.05;
  static constexpr double kPerSeen = 1.8;  // 1 / P(such a word | delivered, receipt missing)
  static constexpr double kFlag = 0.85, kOver = 0.7;

  Sums slow_, fast_;
  Decayed seen_, unseen_;
  bool blackout_ = false;
};

}  // namespace godwit::routing
