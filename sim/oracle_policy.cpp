// The oracle knows every probability and every law of delay, but no outcome: the best single send by true numbers, and
// the cascade of the router's own formulas with true numbers.
#include <algorithm>
#include <cmath>
#include <limits>

#include "broker/routing/cascade.hpp"
#include "broker/routing/histogram.hpp"
#include "sim/chance.hpp"
#include "sim/policy.hpp"

namespace godwit::sim {

namespace {

using namespace godwit::routing;

class Oracle final : public Policy {
 public:
  explicit Oracle(const Setting& setting) : setting_(setting) {
    const Chance chance(1);
    for (const ChannelSpec& spec : setting.channels) {
      Law law{LogHistogram(1, 1, 1e-9), LogHistogram(1, 1, 1e-9)};
      for (uint64_t i = 0; i < 20000; ++i) {
        const double delay = chance.log_normal(spec.delay.median_s, spec.delay.sigma, 1, i, 0);
        law.delivery.add(delay, 1);
        law.receipt.add(delay + chance.log_normal(spec.receipt_delay.median_s, spec.receipt_delay.sigma, 2, i, 0), 1);
      }
      laws_.push_back(law);
    }
  }

  void device(const DeviceChange& d) override {
    if (d.device >= reports_.size()) reports_.resize(d.device + 1);
    reports_[d.device] = d.reports;
  }

  Decision first(InFlight& m, double t) override {
    const MessageClass& cls = setting_.classes[m.message.cls];
    Decision best;
    bool best_paid = true;
    for (const Offer& offer : m.offers) {
      if (!usable(m, offer)) continue;
      const bool paid = setting_.channels[offer.channel].kind == ChannelKind::paid;
      const double p = chance_in_time(m, offer.channel, t);
      const double u = cls.value * p - setting_.channels[offer.channel].cost;
      if (best.action == Action::send && (paid != best_paid ? paid : u <= best.utility)) continue;
      if (paid && u <= 0) continue;
      best.action = Action::send, best.channel = offer.channel, best.p = p, best.utility = u;
      best_paid = paid;
    }
    if (best.action == Action::send) best.next_check_s = check_after(m, best.channel, t);
    return best;
  }

  Decision next(InFlight& m, double t) override {
    const MessageClass& cls = setting_.classes[m.message.cls];
    Decision best;
    best.reason = Reason::no_gain;
    size_t sends = 0;
    for (const Attempt& a : m.attempts) {
      if (a.heard) return best;
      sends += !a.rejected;
    }
    if (sends >= kMostSends || t >= m.message.t + cls.deadline_s) return best;
    const Silence now = silence(m, t, false), later = silence(m, t, true);
    double best_later = 0;
    for (const Offer& offer : m.offers) {
      if (!usable(m, offer)) continue;
      const ChannelSpec& spec = setting_.channels[offer.channel];
      FallbackTerms terms{cls.value,
                          spec.cost,
                          chance_in_time(m, offer.channel, t),
                          setting_.duplicate_penalty,
                          spec.dedupe,
                          spec.kind == ChannelKind::paid};
      const double u = fallback_utility(now, terms);
      best_later = std::max(best_later, fallback_utility(later, terms));
      if (u <= 0 || (best.action == Action::send && u <= best.utility)) continue;
      best.action = Action::send, best.channel = offer.channel, best.p = terms.p, best.utility = u;
    }
    if (best.action == Action::send) {
      best.next_check_s = check_after(m, best.channel, t);
    } else if (best_later > 0) {
      best.action = Action::wait;
      best.wait_s = std::max(2.0, (t - m.message.t) / 2);
    }
    return best;
  }

 private:
  static constexpr size_t kMostSends = 4;
  struct Law {
    LogHistogram delivery, receipt;
  };

  bool usable(const InFlight& m, const Offer& offer) const {
    if (offer.sleep != Sleep::awake) return false;
    if (setting_.channels[offer.channel].kind == ChannelKind::paid && !setting_.classes[m.message.cls].paid)
      return false;
    return std::none_of(m.attempts.begin(), m.attempts.end(),
                        [&](const Attempt& a) { return a.channel == offer.channel; });
  }
  double left(const InFlight& m, double t) const {
    return m.message.t + setting_.classes[m.message.cls].deadline_s - t;
  }
  double chance_in_time(const InFlight& m, ChannelNo c, double t) const {
    return m.message.fates[c].p * laws_[c].delivery.share_below(LogHistogram::position(left(m, t)));
  }
  bool reports(const InFlight& m, ChannelNo c) const { return (reports_[m.message.device] >> c & 1) != 0; }

  Silence silence(const InFlight& m, double t, bool all) const {
    SilenceSum sum;
    for (const Attempt& a : m.attempts) {
      if (a.rejected) continue;
      double heard = 0;
      if (reports(m, a.channel))
        heard = coverage(a.channel, m.message.t) *
                (all ? 1.0 : laws_[a.channel].receipt.share_below(LogHistogram::position(t - a.sent)));
      sum.add(m.message.fates[a.channel].p, heard);
    }
    const bool night = is_night(hour_of_day(setting_.start_hour, m.message.t));
    return sum.given(0, night ? setting_.away_night : setting_.away_day);
  }

  double coverage(ChannelNo c, double t) const {
    double share = setting_.channels[c].coverage;
    for (const Event& e : setting_.events)
      if (e.type == EventType::receipt_loss && t >= e.t0 && t < e.t1 &&
          (e.channel == setting_.channels[c].name || e.channel == "*"))
        share *= 1 - e.loss;
    return share;
  }

  double check_after(const InFlight& m, ChannelNo sent, double t) const {
    if (!reports(m, sent)) return 0.2;
    double quickest = std::numeric_limits<double>::infinity();
    for (const Offer& offer : m.offers)
      if (offer.channel != sent && usable(m, offer))
        quickest = std::min(quickest, laws_[offer.channel].delivery.quantile_s(0.9));
    double wait = laws_[sent].receipt.quantile_s(0.95);
    if (std::isfinite(quickest)) wait = std::min(wait, left(m, t) - quickest);
    return std::max(0.5, wait);
  }

  const Setting& setting_;
  std::vector<Law> laws_;
  std::vector<uint32_t> reports_;
};

}  // namespace

std::unique_ptr<Policy> make_oracle(const Setting& setting) {
  return std::make_unique<Oracle>(setting);
}

}  // namespace godwit::sim
