// Decisions in numbers and words.
#include <algorithm>

#include "broker/routing/impl.hpp"
#include "broker/routing/interval.hpp"

namespace godwit::routing {

namespace {

// Of the Beta with the estimate's mean and variance.
Interval credible_interval(const Estimate& e) {
  const double trials = std::max(0.5, e.rate * (1 - e.rate) / e.belief.variance - 1);
  return beta_95(e.rate * trials, (1 - e.rate) * trials);
}

}  // namespace

std::vector<CandidateView> Router::Impl::explain(const Ask& ask, const DeviceView& device,
                                                 const Candidates& found) const {
  std::vector<CandidateView> out;
  const double left = LogHistogram::position(ask.left_s);
  for (const Offer& offer : ask.offers) {
    CandidateView v;
    v.channel = offer.channel;
    v.sleep = sleep(offer, ask, device.t);
    if (v.sleep == Sleep::awake) {
      const Channel& c = channels[offer.channel];
      const Estimate e = estimate(device, offer.channel);
      v.rate = e.rate;
      const Interval interval = credible_interval(e);
      v.low = interval.low, v.high = interval.high;
      v.segment_rate = e.mean;
      v.samples = levels.segment(offer.channel, device.profile.segment).trials * device.inverse;
      v.device_successes = e.successes, v.device_failures = e.failures;
      v.kappa = e.kappa;
      v.health = e.health;
      v.alarmed = e.health < 1 || c.doubt.doubted();
      v.reporting = e.reporting;
      v.in_time = c.delivery.share_below(left);
      v.kind = c.reports_itself() ? c.traits.receipts : e.reporting ? ReceiptKind::device : ReceiptKind::accepted;
      v.p = e.delivery * e.health * v.in_time;
      v.utility = options.value[static_cast<size_t>(ask.priority)] * v.p - price(offer.channel, ask.priority);
      for (const Candidate& candidate : found)
        if (candidate.channel == offer.channel) v.utility = candidate.utility, v.propensity = candidate.propensity;
    }
    out.push_back(v);
  }
  std::stable_sort(out.begin(), out.end(), [](const CandidateView& a, const CandidateView& b) {
    if ((a.sleep == Sleep::awake) != (b.sleep == Sleep::awake)) return a.sleep == Sleep::awake;
    return a.utility > b.utility;
  });
  return out;
}

Told told(const AttemptMemo& memo) {
  switch (memo.state) {
    case kSucceeded:
      return Told::arrived;
    case kFailed:
    case kConfirmed:
      return Told::silent;
    case kRejected:
      return Told::refused;
    default:
      return Told::nothing;
  }
}

std::string_view to_string(Told what) {
  switch (what) {
    case Told::nothing:
      return "unknown";
    case Told::arrived:
      return "arrived";
    case Told::silent:
      return "silent";
    case Told::refused:
      return "refused";
  }
  return "unknown";
}

std::string_view to_string(Sleep why) {
  switch (why) {
    case Sleep::awake:
      return "awake";
    case Sleep::no_token:
      return "no_token";
    case Sleep::offline:
      return "offline";
    case Sleep::disabled:
      return "disabled";
    case Sleep::draining:
      return "draining";
    case Sleep::held:
      return "held";
    case Sleep::down:
      return "down";
    case Sleep::quota:
      return "quota";
    case Sleep::breaker_open:
      return "breaker_open";
    case Sleep::not_allowed:
      return "not_allowed";
    case Sleep::unsupported:
      return "unsupported";
  }
  return "unknown";
}

std::string_view to_string(Reason why) {
  switch (why) {
    case Reason::exploit:
      return "exploit";
    case Reason::explore:
      return "explore";
    case Reason::probe:
      return "probe";
    case Reason::audit:
      return "audit";
    case Reason::ordered:
      return "ordered";
    case Reason::fallback:
      return "fallback";
    case Reason::only_one:
      return "only_one";
    case Reason::nothing_awake:
      return "nothing_awake";
    case Reason::no_gain:
      return "no_gain";
    case Reason::used_up:
      return "used_up";
  }
  return "unknown";
}

}  // namespace godwit::routing
