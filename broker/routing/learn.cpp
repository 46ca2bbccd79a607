// What each outcome teaches. An outcome is judged against what the memo froze at the send, and weighs as of the send,
// so the order in which receipts come back changes nothing but the device counters' rounding.
#include <algorithm>
#include <cmath>

#include "broker/routing/impl.hpp"

namespace godwit::routing {

namespace {

constexpr double kLeastNovelty = 0.1;
constexpr double kFlagged = 0.9, kBlind = 0.6, kBlindWeight = 0.1;
constexpr double kMostCommon = 1.05;

// What one outcome more tells about the segment, when the device has had so many already.
double novelty_of(const Channel& c, double successes, double failures) {
  return std::max(kLeastNovelty, c.strengths.device / (c.strengths.device + successes + failures));
}

// What a silence says about the device being gone, against its being there: absence and what earlier attempts of the
// same message already said are in `expected`.
double silence_nats(const AttemptMemo& memo) {
  const double alive = 1 - memo.dormant / 65535.0;
  return -std::log(1 - std::min(0.95, memo.expected * memo.health / std::max(0.05, alive)));
}

uint16_t to_share(double v) {
  return static_cast<uint16_t>(std::clamp(v, 0.0, 1.0) * 65535 + 0.5);
}
double from_share(uint16_t v) {
  return v / 65535.0;
}

// Whether the expectation rested on outcomes when the message was sent, and on no earlier silence of the same message:
// what is left of it when all other factors are divided out is confidence.
bool was_sure(const AttemptMemo& memo) {
  constexpr double kSureEnough = 0.7;
  const double others =
      kTimeliness * memo.rate * (1 - from_share(memo.dormant)) * from_share(memo.common) * kMostCommon;
  return memo.expected >= kSureEnough * others;
}

double failure_weight(const AttemptMemo& memo) {
  return memo.weight * (1 - from_share(memo.dormant));
}

}  // namespace

// How much of an expectation rests on outcomes: while it is only believed, a channel that delivers less has not fallen.
double Router::Impl::confidence(const DeviceView& device, ChannelNo channel) const {
  constexpr double kHalfSure = 5;
  const Strengths& strengths = channels[channel].strengths;
  const auto trials = [&](const Pool& pool) { return pool.trials * device.inverse; };
  const double above = std::min(strengths.maker, trials(levels.fleet(channel)));
  const double maker = std::min(strengths.segment, trials(levels.maker(channel, device.profile.maker)) + above);
  const double known = trials(levels.segment(channel, device.profile.segment)) + maker;
  return known / (known + kHalfSure);
}

AttemptMemo Router::Impl::sent(const Ask& ask, const Decision& decision, double t, MonoNs now) {
  AttemptMemo memo;
  memo.device = ask.device;
  memo.channel = decision.channel;
  memo.rank = static_cast<uint8_t>(std::min<size_t>(ask.attempts.size(), 255));
  memo.sent_ns = now;
  if (decision.channel >= channels.size()) {
    memo.state = kRejected;
    return memo;
  }
  Channel& c = channels[decision.channel];
  DeviceState& state = devices.at(ask.device);
  if (state.slot(decision.channel) == kNoSlot) {
    if (const unsigned slot = state.borrow(decision.channel); slot != kNoSlot && c.reports_itself())
      state.reports |= static_cast<uint8_t>(1u << slot);
  }
  const DeviceView device = view(ask.device, t);
  const Estimate e = estimate(device, decision.channel);
  const Silence before = silence(ask, device, false);  // without earlier attempts: the priors
  const double reach = c.traits.path == 0 ? before.reach : before.alive;
  memo.rate = static_cast<float>(e.rate);
  memo.mean = static_cast<float>(e.mean);
  memo.health = static_cast<float>(e.health);
  memo.segment = state.profile;
  memo.generation = state.generation;
  memo.flags = e.reporting ? kReporting : 0;
  const double ratio = common.ratio(decision.channel, channels.size(), t);
  const double covered = std::min(1.0, c.coverage.share(c.traits.coverage, t) / c.traits.coverage);
  memo.expected = static_cast<float>(
      std::min(0.98, confidence(device, decision.channel) * e.rate * kTimeliness * reach * ratio * covered));
  memo.common = to_share(ratio / kMostCommon);
  memo.weight = 1;
  memo.novelty = to_share(std::clamp(c.mixture.sensitivity(e.mean, e.successes, e.failures), kLeastNovelty, 1.0));
  memo.dormant = to_share(1 - before.alive);
  ++c.sends;
  c.explored += decision.reason == Reason::explore || decision.reason == Reason::audit;
  c.probed += decision.reason == Reason::probe;
  c.breaker.sent(t);
  if (memo.rank == 0) health.first_sent(memo.channel, device.profile, e.reporting ? memo.expected : 0, t);
  if (e.reporting && !c.doubt.doubted())
    health.sent(memo.channel, device.profile, heard_of(memo, t), soft_timeout_s(memo.channel));
  book.count(memo.channel, device.profile, sent_wall(memo, t), RateEvent::sent);
  return memo;
}

DeviceState* Router::Impl::learner(const AttemptMemo& memo) {
  DeviceState* state = devices.find(memo.device);
  return state != nullptr && state->generation == memo.generation ? state : nullptr;
}

void Router::Impl::settle(AttemptMemo& memo, double t) {
  if ((memo.flags & kSettled) != 0 || (memo.flags & kReporting) == 0) return;
  memo.flags |= kSettled;
  book.count(memo.channel, profile(memo), sent_wall(memo, t), RateEvent::settled);
}

// Health cells and the common mode hear of every outcome once, at the latest by the soft time-out. `proven`: the device
// itself said so.
void Router::Impl::judge(AttemptMemo& memo, bool success, bool proven, double t) {
  memo.flags |= kJudged;
  Doubt& doubt = channels[memo.channel].doubt;
  const bool was_doubted = doubt.doubted();
  const double sick =
      was_doubted ? health.factor(memo.channel, profile(memo)) : memo.health;  // without the doubt's own
  const double expected = memo.expected * sick;
  // Where little was expected because little was known, a receipt is news and no contradiction.
  if (expected > Doubt::kHopeless || was_sure(memo))
    doubt.hear({memo.device, success, proven, memo.rank == 0, expected}, t);
  if (was_doubted || doubt.doubted()) return withdraw(memo, false, t);
  const double ratio = std::max(0.1, from_share(memo.common) * kMostCommon);
  common.settled(memo.channel, success, memo.expected * memo.health / ratio, t);
  health.judge(memo.channel, profile(memo), heard_of(memo, t), success, soft_timeout_s(memo.channel), t);
}

Health::Sent Router::Impl::heard_of(const AttemptMemo& memo, double t) const {
  return {memo.device, memo.expected, sent_time(memo, t)};
}

void Router::Impl::withdraw(const AttemptMemo& memo, bool arrived, double t) {
  health.withdraw(memo.channel, profile(memo), heard_of(memo, t), arrived, t);
}

// The part of a failure that belongs to this channel on this device, and not to a trouble known to be wider.
float Router::Impl::blame(const AttemptMemo& memo, double t) const {
  const Channel& c = channels[memo.channel];
  const double ratio = common.ratio(memo.channel, channels.size(), t);
  const double covered = c.coverage.flagged_ratio(c.traits.coverage, t);
  const double sick = std::min<double>(memo.health, health.factor(memo.channel, profile(memo)));
  const double x = sick * (ratio < kFlagged ? ratio : 1) * covered;
  const double b = std::clamp<double>(memo.rate, 0, 0.99);
  double weight = (1 - b) / (1 - b * x);
  if (covered < kBlind) weight *= kBlindWeight;
  return static_cast<float>(std::round(weight * 256) / 256);
}

// The outcome of this device on this channel before this one, for learning how much devices differ. An outcome that was
// taken back only corrects what is remembered.
void Router::Impl::remember(const AttemptMemo& memo, DeviceState& state, unsigned slot, bool success, bool corrects,
                            double t) {
  Channel& c = channels[memo.channel];
  const auto bit = static_cast<uint8_t>(1u << slot);
  if (!corrects && memo.health >= 1 && !health.any_alarm(memo.channel)) {
    const Profile& kind = profile(memo);
    const double mean = levels.mean(memo.channel, kind.maker, kind.segment, decay.inverse(t), c.traits.prior,
                                    maker_odds(memo.channel, kind.maker), c.strengths);
    if ((state.has_last & bit) != 0) {
      const bool last = (state.last_outcome & bit) != 0;
      const float fade = state.fade(minute(t), half_life_min()) / 256;
      const float s = state.success[slot] * fade, f = state.failure[slot] * fade;
      c.mixture.learn(mean, std::max(0.0f, s - (last ? 1 : 0)), std::max(0.0f, f - (last ? 0 : 1)), last,
                      novelty_of(c, s, f));
      c.spread.pair(last, success, mean, t);
    }
  }
  state.has_last |= bit;
  state.last_outcome = static_cast<uint8_t>(success ? state.last_outcome | bit : state.last_outcome & ~bit);
}

// The shared levels are about devices that are not known yet. What is known of this one is taken out of its outcome, by
// how much its estimate would move with the segment's (novelty): a device's tenth outcome says little about the others,
// and a segment must not look as good as those of its devices that stay on the channel because it works for them.
void Router::Impl::teach_levels(const AttemptMemo& memo, bool success, double weight) {
  const double novelty = from_share(memo.novelty);
  const double trials = weight * novelty * novelty;
  const double successes = trials * memo.mean + weight * novelty * ((success ? 1 : 0) - memo.rate);
  const Profile& kind = profile(memo);
  levels.add(memo.channel, kind.maker, kind.segment, successes, trials);
}

void Router::Impl::succeed(AttemptMemo& memo, bool was_failed, double t) {
  memo.state = kSucceeded;
  teach_levels(memo, true, decay.weight(sent_time(memo, t)));
  if (DeviceState* state = learner(memo)) {
    state->decay(minute(t), half_life_min(), memo.device);
    if (const unsigned slot = state->borrow(memo.channel); slot != kNoSlot) {
      remember(memo, *state, slot, true, was_failed, t);
      state->add_success(slot, 1);
    }
  }
}

void Router::Impl::fail(AttemptMemo& memo, double t) {
  if (channels[memo.channel].doubt.doubted()) {  // its silence is no more believed than its receipts
    memo.state = kNeutral;
    return;
  }
  memo.state = kFailed;
  memo.weight = blame(memo, t);
  teach_levels(memo, false, failure_weight(memo) * decay.weight(sent_time(memo, t)));
  if (DeviceState* state = learner(memo)) {
    state->decay(minute(t), half_life_min(), memo.device);
    if (const unsigned slot = state->borrow(memo.channel); slot != kNoSlot) {
      remember(memo, *state, slot, false, false, t);
      state->add_failure(slot, memo.weight);
      if (channels[memo.channel].traits.path == 0) state->unheard(slot, silence_nats(memo));
    }
  }
}

// The failure was only provisional: everything it added goes away again.
void Router::Impl::take_back(AttemptMemo& memo, double t) {
  withdraw(memo, true, t);
  teach_levels(memo, false, -failure_weight(memo) * decay.weight(sent_time(memo, t)));
  if (DeviceState* state = learner(memo)) {
    state->decay(minute(t), half_life_min(), memo.device);
    if (const unsigned slot = state->slot(memo.channel); slot != kNoSlot) state->add_failure(slot, -memo.weight);
  }
  memo.state = kOpen;
}

void Router::Impl::receipt(AttemptMemo& memo, ReceiptKind kind, double t, double delivered_s) {
  if (memo.channel >= channels.size() || kind < ReceiptKind::vendor) return;
  const uint8_t bit = kind == ReceiptKind::vendor ? kVendorReceipt : kDeviceReceipt;
  if ((memo.flags & bit) != 0) return;
  memo.flags |= bit;
  Channel& c = channels[memo.channel];
  const double latency = t - sent_time(memo, t);
  DeviceState* state = learner(memo);
  if (state != nullptr && !c.reports_itself() && (memo.flags & kReporting) == 0) {
    // The vendor tells nothing, but the app itself does: from now on silence of this device means something.
    if (const unsigned slot = state->borrow(memo.channel); slot != kNoSlot)
      state->reports |= static_cast<uint8_t>(1u << slot);
    memo.flags |= kReporting;
  }
  settle(memo, t);
  book.count(memo.channel, profile(memo), sent_wall(memo, t),
             kind == ReceiptKind::vendor ? RateEvent::vendor : RateEvent::device, latency);
  if (!c.is_label(kind) || memo.state == kRejected) return;
  if (memo.state == kSucceeded && (memo.flags & kSeenVia) != 0) c.coverage.take_back_seen(t);
  if (memo.state == kSucceeded || memo.state == kNeutral) return;
  const bool was_failed = memo.state == kFailed || memo.state == kConfirmed;
  const bool in_time = memo.state == kOpen && (memo.flags & kJudged) == 0 && latency <= soft_timeout_s(memo.channel);
  const bool proven = kind == ReceiptKind::device && c.traits.receipts == ReceiptKind::vendor;
  if (c.doubt.doubted() && !proven) {
    if (was_failed) take_back(memo, t);
    memo.state = kNeutral;
    if (in_time) {
      judge(memo, true, false, t);
    } else if (!was_failed) {
      withdraw(memo, false, t);
    }
    return;
  }
  if ((memo.flags & kReporting) != 0) c.coverage.receipt(c.traits.coverage, t);
  if (was_failed) take_back(memo, t);
  const bool late = latency > kTooLate_s;
  if (late && !was_failed) withdraw(memo, true, t);
  if (memo.rank == 0 && c.traits.path == 0) (c.traits.connection ? away_present : away).receipt(t, late);
  if (state != nullptr && c.traits.path == 0) state->heard(hour(t));
  if (late) {
    memo.state = kNeutral;
    if (state != nullptr)
      if (const unsigned slot = state->slot(memo.channel); slot != kNoSlot && was_failed)
        state->has_last &= static_cast<uint8_t>(~(1u << slot));  // it told nothing after all
    return;
  }
  const double weight = decay.weight(sent_time(memo, t));
  c.receipt.add(latency, weight);
  c.delivery.add(delivered_s >= 0 && delivered_s <= latency ? delivered_s : latency, weight);
  if (in_time) {
    judge(memo, true, proven, t);
  } else if (!was_failed) {
    withdraw(memo, true, t);
  }
  succeed(memo, was_failed, t);
}

void Router::Impl::seen(AttemptMemo& memo, bool had_it, double t) {
  if ((memo.flags & (kReporting | kSeenVia)) != kReporting || memo.state == kSucceeded || memo.state == kRejected)
    return;
  Channel& c = channels[memo.channel];
  const bool was_failed = memo.state == kFailed || memo.state == kConfirmed;
  if (had_it) {
    c.coverage.seen(t);
  } else if (memo.state == kFailed) {
    c.coverage.not_seen(t);
  }
  if (health.any_alarm(memo.channel) && c.coverage.detect(t)) health.clear(memo.channel);
  if (!had_it) {
    if (was_failed) memo.state = kConfirmed;
    return;
  }
  if (was_failed) take_back(memo, t);
  memo.flags |= kSeenVia;
  settle(memo, t);
  judge(memo, true, true, t);
  succeed(memo, was_failed, t);
}

void Router::Impl::reject(AttemptMemo& memo, bool channels_fault, double t) {
  memo.state = kRejected;
  settle(memo, t);
  if (!channels_fault) return withdraw(memo, false, t);
  channels[memo.channel].breaker.bad(t);
  judge(memo, false, true, t);
}

}  // namespace godwit::routing
