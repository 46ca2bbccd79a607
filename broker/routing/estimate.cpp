// What is believed about one device and one channel, at one moment.
#include <algorithm>
#include <cmath>

#include "broker/routing/impl.hpp"

namespace godwit::routing {

namespace {
constexpr double kHumility = 0.97;  // without it the best devices look certain and fallbacks are withheld
constexpr DeviceState kNeverSeen{};
}  // namespace

DeviceView Router::Impl::view(DeviceNo device, double t) const {
  const DeviceState* found = devices.find(device);
  const DeviceState& state = found != nullptr ? *found : kNeverSeen;
  const double dormant = dormancy(state.ever_alive(), state.silence_nats());
  return {state, profiles.at(state.profile), t, state.fade(minute(t), half_life_min()), decay.inverse(t), dormant};
}

bool Router::Impl::is_reporting(const DeviceState& device, ChannelNo channel) const {
  const unsigned slot = device.slot(channel);
  if (slot == kNoSlot) return channels[channel].reports_itself();
  return (device.reports >> slot & 1) != 0;
}

double Router::Impl::maker_odds(ChannelNo channel, uint16_t maker) const {
  const std::vector<double>& odds = channels[channel].odds;
  return maker < odds.size() ? odds[maker] : 1;
}

// Trials behind the segment's rate; those of the manufacturer count as many as they weigh.
double Router::Impl::known_trials(const DeviceView& device, ChannelNo channel) const {
  const double above = levels.maker(channel, device.profile.maker).trials * device.inverse;
  return levels.segment(channel, device.profile.segment).trials * device.inverse +
         std::min(channels[channel].strengths.segment, above);
}

Estimate Router::Impl::estimate(const DeviceView& device, ChannelNo channel) const {
  const Channel& c = channels[channel];
  Estimate e;
  e.kappa = c.strengths.device;
  e.mean = levels.mean(channel, device.profile.maker, device.profile.segment, device.inverse, c.traits.prior,
                       maker_odds(channel, device.profile.maker), c.strengths);
  if (const unsigned slot = device.state.slot(channel); slot != kNoSlot) {
    e.successes = device.state.success[slot] * device.fade / 256;
    e.failures = device.state.failure[slot] * device.fade / 256;
    e.reporting = (device.state.reports >> slot & 1) != 0;
  } else {
    e.reporting = c.reports_itself();
  }
  e.belief = c.mixture.believe(e.mean, e.successes, e.failures);
  e.rate = e.belief.mean;
  e.health = health.factor(channel, device.profile);
  if (c.doubt.doubted()) e.health *= c.doubt.health(kTimeliness * c.traits.coverage, device.t);
  e.delivery = std::min(kHumility, e.rate / c.traits.coverage);
  return e;
}

// Whether our own connection to the device is up: then it is hardly away.
bool Router::Impl::is_present(const Ask& ask) const {
  return std::any_of(ask.offers.begin(), ask.offers.end(), [this](const Offer& offer) {
    return offer.sleep == Sleep::awake && offer.channel < channels.size() && channels[offer.channel].traits.connection;
  });
}

// `all_receipts`: as if every receipt that will ever come had come by now.
Silence Router::Impl::silence(const Ask& ask, const DeviceView& device, bool all_receipts) const {
  SilenceSum sum;
  for (const AttemptMemo& attempt : ask.attempts) {
    if (attempt.state == kRejected || attempt.channel >= channels.size()) continue;  // it is known not to arrive
    const Channel& c = channels[attempt.channel];
    double heard = 0;
    if ((attempt.flags & kReporting) != 0) {
      const double age = device.t - sent_time(attempt, device.t);
      heard = c.coverage.share(c.traits.coverage, device.t) *
              (all_receipts ? 1.0 : c.receipt.share_below(LogHistogram::position(age)));
    }
    const double rate = std::min(kHumility, attempt.rate / c.traits.coverage) * attempt.health;
    sum.add(rate, heard);
  }
  // What the device's record says about its being gone includes, by now, the silence of these very attempts; so it is
  // taken as it was before the first of them, unless there was a sign of life since.
  const double dormant =
      ask.attempts.empty() ? device.dormant : std::min(device.dormant, ask.attempts.front().dormant / 65535.0);
  return sum.given(dormant, (is_present(ask) ? away_present : away).share(device.t));
}

}  // namespace godwit::routing
