// Which channel first, and which one next.
#include <algorithm>
#include <cmath>
#include <limits>

#include "broker/routing/impl.hpp"

namespace godwit::routing {

namespace {

constexpr double kBlindWait_s = 0.2;  // silence of a device that does not report means nothing: no use to wait for it
constexpr double kLookAgain_s = 2;
constexpr double kWorthWaitingFor = 0.4;  // the chance of a free channel that a paid one waits for
constexpr double kLeastHorizon = 5;
constexpr double kFewTrials = 10;  // of a segment: at so many, trying is worth half

bool was_tried(const Ask& ask, ChannelNo channel) {
  return std::any_of(ask.attempts.begin(), ask.attempts.end(),
                     [channel](const AttemptMemo& a) { return a.channel == channel; });
}

bool has_arrived(const Ask& ask) {
  return std::any_of(ask.attempts.begin(), ask.attempts.end(),
                     [](const AttemptMemo& a) { return a.state == kSucceeded; });
}

void list_others(std::span<const Candidate> candidates, Decision& d) {
  size_t n = 0;
  for (const Candidate& c : candidates)
    if (c.channel != d.channel && n < d.others.size()) d.others[n++] = {c.channel, static_cast<float>(c.p)};
}

Decision stop(Reason reason) {
  Decision d;
  d.reason = reason;
  return d;
}

}  // namespace

double Router::Impl::price(ChannelNo channel, PriorityClass priority) const {
  const Channel& c = channels[channel];
  return c.traits.cost + (priority >= PriorityClass::normal ? c.quota_price : 0);
}

Sleep Router::Impl::sleep(const Offer& offer, const Ask& ask, double t) const {
  if (offer.sleep != Sleep::awake) return offer.sleep;
  if (offer.channel >= channels.size()) return Sleep::disabled;
  const Channel& c = channels[offer.channel];
  if (c.traits.costly && !ask.allow_costly) return Sleep::not_allowed;
  if (c.breaker.is_open(t)) return Sleep::breaker_open;
  if (c.quota_gone) return Sleep::quota;
  return Sleep::awake;
}

// The channels that could carry this message now, judged as if each were the only send.
void Router::Impl::gather(const Ask& ask, const DeviceView& device, Candidates& out, Estimates& estimates) const {
  const double left = LogHistogram::position(ask.left_s);
  const double value = options.value[static_cast<size_t>(ask.priority)];
  for (const Offer& offer : ask.offers) {
    if (out.size() == out.capacity()) break;
    if (sleep(offer, ask, device.t) != Sleep::awake || was_tried(ask, offer.channel)) continue;
    const Estimate& e = estimates.emplace_back(estimate(device, offer.channel));
    Candidate& c = out.emplace_back();
    c.channel = offer.channel;
    c.p = e.delivery * e.health * channels[offer.channel].delivery.share_below(left);
    c.utility = value * c.p - price(offer.channel, ask.priority);
    c.health = e.health;
    c.costly = channels[offer.channel].traits.costly;
  }
}

// How long silence may last: late enough for it to mean something, early enough for the next channel.
double Router::Impl::check_after(const Ask& ask, const DeviceView& device, ChannelNo sent,
                                 std::span<const Candidate> rest) const {
  if (!is_reporting(device.state, sent)) return kBlindWait_s;
  double quickest = std::numeric_limits<double>::infinity();
  for (const Candidate& c : rest)
    if (c.channel != sent) quickest = std::min(quickest, channels[c.channel].delivery.quantile_s(0.9));
  double wait = channels[sent].receipt.quantile_s(0.95);
  if (std::isfinite(quickest)) wait = std::min(wait, ask.left_s - quickest);
  return std::clamp(wait, options.min_wait_s, options.max_wait_s);
}

Decision Router::Impl::in_order(const Ask& ask, double t) const {
  if (ask.left_s <= 0 || (ask.mode == Mode::ordered && has_arrived(ask))) return stop(Reason::no_gain);
  bool any_awake = false;
  for (const Offer& offer : ask.offers) {
    if (sleep(offer, ask, t) != Sleep::awake) continue;
    any_awake = true;
    if (was_tried(ask, offer.channel)) continue;
    const DeviceView device = view(ask.device, t);
    const Estimate e = estimate(device, offer.channel);
    Decision d;
    d.action = Action::send;
    d.channel = offer.channel;
    d.reason = Reason::ordered;
    d.p = e.delivery * e.health * channels[offer.channel].delivery.share_below(LogHistogram::position(ask.left_s));
    d.utility = options.value[static_cast<size_t>(ask.priority)] * d.p - price(offer.channel, ask.priority);
    d.reach = silence(ask, device, false).reach;
    if (ask.mode == Mode::ordered) {
      // The caller's order is a wish for that order, so silence is waited for; a blind channel ends it.
      d.next_check_s =
          std::clamp(channels[offer.channel].receipt.quantile_s(0.95), options.min_wait_s, options.max_wait_s);
    }
    return d;
  }
  return stop(any_awake ? Reason::used_up : Reason::nothing_awake);
}

// What it would be worth to know each alternative better: how much better than the best it may turn out to be, for each
// message that the device will get while its outcomes still count (as many as it got lately). What a try tells about
// the device alone costs as much as it brings (measured: no exploration is as good); it pays while it also tells about
// the device's segment, so the worth falls with what is known of that.
void Router::Impl::appraise(const Ask& ask, const DeviceView& device, const Estimates& estimates, size_t best,
                            Candidates& out) const {
  if (options.exploration[static_cast<size_t>(ask.priority)] <= 0) return;
  unsigned outcomes = 0;
  for (unsigned i = 0; i < kSlots; ++i) outcomes += device.state.success[i] + device.state.failure[i];
  const double horizon = kLeastHorizon + outcomes * device.fade / 256;
  for (size_t i = 0; i < out.size(); ++i) {
    Candidate& c = out[i];
    const Estimate& e = estimates[i];
    if (i == best || c.costly || c.p <= 0) continue;
    if (!e.reporting) continue;            // nothing would be learned
    const double per_rate = c.p / e.rate;  // from the receipt rate to the chance of a delivery in time
    const double few = kFewTrials / (kFewTrials + known_trials(device, c.channel));
    c.worth = few * horizon * per_rate * e.belief.upside(out[best].p / per_rate);
  }
}

// A sick channel whose cells have not been looked at for a while, or `candidates.size()`.
size_t Router::Impl::probe(const Candidates& candidates, const Estimates& estimates, size_t best,
                           const DeviceView& device) const {
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& c = candidates[i];
    if (i == best || c.costly || !estimates[i].reporting || !health.any_alarm(c.channel)) continue;
    if (health.wants_probe(c.channel, device.profile, candidates[best].p - c.p,
                           estimates[i].rate * (1 - device.dormant), device.t))
      return i;
  }
  return candidates.size();
}

Decision Router::Impl::first(const Ask& ask, double t, std::vector<CandidateView>* why) {
  const DeviceView device = view(ask.device, t);
  Candidates candidates;
  Estimates estimates;
  gather(ask, device, candidates, estimates);
  const size_t count = candidates.size();
  Decision d;
  if (ask.mode != Mode::best) {
    d = in_order(ask, t);
  } else if (ask.left_s <= 0) {
    d = stop(Reason::no_gain);
  } else if (count == 0) {
    d = stop(Reason::nothing_awake);
  } else {
    const size_t best = best_first(candidates);
    const auto priority = static_cast<size_t>(ask.priority);
    Exploration& exploration = explorations[priority];
    appraise(ask, device, estimates, best, candidates);
    exploration.spent(set_propensities(candidates, best, exploration));
    const size_t probed = options.exploration[priority] > 0 ? probe(candidates, estimates, best, device) : count;
    const size_t chosen = probed < count ? probed : draw(candidates, random);
    const Candidate& c = candidates[chosen];
    if (c.costly && c.utility <= 0) {
      d = stop(Reason::no_gain);
    } else {
      d.action = Action::send;
      d.channel = c.channel;
      d.reason = probed < count   ? Reason::probe
                 : count == 1     ? Reason::only_one
                 : chosen == best ? Reason::exploit
                                  : Reason::explore;
      d.p = c.p;
      d.utility = c.utility;
      d.propensity = d.reason == Reason::probe ? 1 : c.propensity;
      for (const Candidate& other : candidates)
        if (other.channel != c.channel && health.any_alarm(other.channel))
          health.passed_over(other.channel, device.profile);
      d.next_check_s = check_after(ask, device, c.channel, candidates);
    }
  }
  list_others(candidates, d);
  if (why != nullptr) *why = explain(ask, device, candidates);
  return d;
}

// What costs is sent last, as long as there is time for both: whatever a free channel delivers before is saved.
size_t Router::Impl::cheaper_first(const Ask& ask, std::span<const Candidate> candidates, size_t costly) const {
  const double needed = channels[candidates[costly].channel].delivery.quantile_s(0.9);
  size_t best = costly;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& c = candidates[i];
    if (c.costly || c.utility <= 0 || c.p < kWorthWaitingFor) continue;
    if (channels[c.channel].receipt.quantile_s(0.95) + needed > ask.left_s) continue;
    if (best == costly || c.utility > candidates[best].utility) best = i;
  }
  return best;
}

Decision Router::Impl::next(const Ask& ask, double t, std::vector<CandidateView>* why) {
  const DeviceView device = view(ask.device, t);
  Candidates candidates;
  Estimates estimates;
  gather(ask, device, candidates, estimates);
  const size_t count = candidates.size();
  const auto finish = [&](Decision d) {
    list_others(candidates, d);
    if (why != nullptr) *why = explain(ask, device, candidates);
    return d;
  };
  if (ask.mode != Mode::best) return finish(in_order(ask, t));
  if (ask.left_s <= 0 || has_arrived(ask)) return finish(stop(Reason::no_gain));
  unsigned sends = 0;  // an explicit refusal showed nothing to anybody, so it does not count
  bool silent_yet = false;
  for (const AttemptMemo& attempt : ask.attempts)
    if (attempt.state != kRejected) ++sends, silent_yet = true;
  if (count == 0 || sends >= options.max_sends) return finish(stop(Reason::used_up));

  const Silence now = silence(ask, device, false);
  const Silence later = silence(ask, device, true);
  const bool free_first =
      !silent_yet && std::any_of(candidates.begin(), candidates.end(), [](const Candidate& c) { return !c.costly; });
  const auto value = options.value[static_cast<size_t>(ask.priority)];
  size_t best = count;
  double best_later = 0;
  for (size_t i = 0; i < count; ++i) {
    Candidate& c = candidates[i];
    const ChannelTraits& traits = channels[c.channel].traits;
    FallbackTerms terms{value, price(c.channel, ask.priority), c.p, options.duplicate_penalty, traits.dedupe, false};
    terms.independent = std::none_of(ask.attempts.begin(), ask.attempts.end(), [&](const AttemptMemo& a) {
      return a.channel < channels.size() && channels[a.channel].traits.path == traits.path;
    });
    c.utility = fallback_utility(now, terms);
    if (free_first && c.costly) continue;
    best_later = std::max(best_later, fallback_utility(later, terms));
    if (c.utility > 0 && (best == count || c.utility > candidates[best].utility)) best = i;
  }
  if (best < count && candidates[best].costly) best = cheaper_first(ask, candidates, best);
  Decision d;
  d.reach = now.reach;
  if (best < count) {
    d.action = Action::send;
    d.reason = Reason::fallback;
    d.channel = candidates[best].channel;
    d.p = candidates[best].p;
    d.utility = candidates[best].utility;
    d.next_check_s = check_after(ask, device, d.channel, candidates);
  } else if (best_later > 0) {
    d.action = Action::wait;
    d.reason = Reason::fallback;
    d.wait_s = std::min(std::max(kLookAgain_s, ask.age_s / 2), ask.left_s);
  } else {
    d.reason = Reason::no_gain;
  }
  return finish(d);
}

}  // namespace godwit::routing
