#include "broker/routing/coverage.hpp"

namespace godwit::routing {

void Coverage::receipt(double nominal, double t) {
  slow_.receipts.add(t, kSlow_s, 1);
  fast_.receipts.add(t, kFast_s, 1);
  if (blackout_ && estimate(fast_, kFast_s, kFastPrior, nominal, t) > kOver * nominal) blackout_ = false;
}

void Coverage::seen(double t) {
  slow_.missing.add(t, kSlow_s, 1);
  fast_.missing.add(t, kFast_s, 1);
  seen_.add(t, kVote_s, 1);
}

void Coverage::take_back_seen(double t) {
  slow_.missing.add(t, kSlow_s, -1);
  fast_.missing.add(t, kFast_s, -1);
  seen_.add(t, kVote_s, -1);
}

bool Coverage::detect(double t) {
  if (blackout_) return false;
  const double yes = seen_.read(t, kVote_s);
  blackout_ = yes >= 4 && yes > 3 * unseen_.read(t, kVote_s);
  return blackout_;
}

void Coverage::save(ByteWriter& out) const {
  for (const Decayed& d : {slow_.receipts, slow_.missing, fast_.receipts, fast_.missing, seen_, unseen_}) {
    out.f64(d.sum);
    out.f64(d.at);
  }
  out.u8(blackout_ ? 1 : 0);
}

void Coverage::restore(ByteReader& in) {
  for (Decayed* d : {&slow_.receipts, &slow_.missing, &fast_.receipts, &fast_.missing, &seen_, &unseen_}) {
    d->sum = in.f64();
    d->at = in.f64();
    if (!(d->sum >= 0 && d->sum < 1e15 && d->at >= 0 && d->at < 1e15)) in.fail();
  }
  blackout_ = in.u8() != 0;
}

}  // namespace godwit::routing
