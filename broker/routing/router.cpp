// The public calls: check, translate time, hand on to the step that does it.
#include "broker/routing/router.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "broker/routing/impl.hpp"

namespace godwit::routing {

namespace {

constexpr double kLearnEvery_s = 60;
constexpr double kLookEvery_s = 0.5;
constexpr double kPause_s = 2;             // perhaps nothing could be heard: what has come in meanwhile is heard first
constexpr double kOrigin_s = 8 * 86400.0;  // so that what was sent before the start still has a positive time

double within(double v, double low, double high, double otherwise) {
  return std::isfinite(v) ? std::clamp(v, low, high) : otherwise;
}

// Nothing that an operator or a plugin writes can bring a NaN or a negative rate into the arithmetic.
Options sane(Options o) {
  o.half_life_shared_s = within(o.half_life_shared_s, 60, 400 * 86400.0, 86400);
  o.half_life_device_s = within(o.half_life_device_s, 3600, 4000 * 86400.0, 864000);
  for (double& v : o.exploration) v = within(v, 0, 0.05, 0);
  for (double& v : o.value) v = within(v, 0, 1e9, 1);
  o.duplicate_penalty = within(o.duplicate_penalty, 0, 1e9, 0.3);
  o.audit_share = within(o.audit_share, 0, 0.5, 0);
  o.max_sends = std::clamp(o.max_sends, 1u, 32u);
  o.min_wait_s = within(o.min_wait_s, 0.01, 3600, 0.5);
  o.max_wait_s = std::max(o.min_wait_s, within(o.max_wait_s, 0.01, 86400, 120));
  return o;
}

ChannelTraits sane(ChannelTraits t) {
  t.prior = within(t.prior, 0.01, 0.99, 0.7);
  for (auto& [maker, rate] : t.manufacturer_priors) rate = within(rate, 0.01, 0.99, t.prior);
  t.cost = within(t.cost, 0, 1e9, 0);
  t.coverage = within(t.coverage, 0.05, 1, 1);
  t.dedupe = within(t.dedupe, 0, 1, 1);
  t.typical_delay_s = within(t.typical_delay_s, 0.05, 3600, 2);
  return t;
}

}  // namespace

Channel::Channel(ChannelTraits given, double weight)
    : traits(std::move(given)),
      delivery(traits.typical_delay_s, 1.0, 10 * weight),
      receipt(traits.typical_delay_s, 1.0, 10 * weight) {}

Router::Impl::Impl(Options given) : options(sane(given)), random(options.seed), decay(options.half_life_shared_s) {
  channels.reserve(kMaxChannels);
  for (size_t i = 0; i < explorations.size(); ++i) {
    explorations[i].budget = options.exploration[i];
    explorations[i].audit = i >= static_cast<size_t>(PriorityClass::normal) ? options.audit_share : 0;
  }
}

double Router::Impl::time(MonoNs now) const {
  if (!started) return kOrigin_s;
  return std::max(0.0, static_cast<double>(now - origin_ns) * 1e-9);
}

double Router::Impl::time(MonoNs now) {
  if (!started) {
    started = true;
    origin_ns = now - static_cast<int64_t>(kOrigin_s) * kNsPerSecond;
    latest = kOrigin_s;
    decay.set_epoch(kOrigin_s);
  }
  const double t = std::as_const(*this).time(now);
  if (t > latest) {
    latest = t;
    housekeeping(t);
  }
  return t;
}

double Router::Impl::sent_time(const AttemptMemo& memo, double t) const {
  return std::clamp(std::as_const(*this).time(memo.sent_ns), std::max(0.0, t - 8 * 86400.0), t);
}

WallMs Router::Impl::sent_wall(const AttemptMemo& memo, double t) const {
  return wall_at_zero_ms + static_cast<int64_t>(sent_time(memo, t) * 1e3);
}

double Router::Impl::soft_timeout_s(ChannelNo channel) const {
  constexpr double kLeast_s = 3;
  return std::clamp(channels[channel].receipt.quantile_s(kTimeliness), std::min(kLeast_s, options.max_wait_s),
                    options.max_wait_s);
}

void Router::Impl::housekeeping(double t) {
  if (const double factor = decay.rebase(t); factor != 1) {
    levels.scale(factor);
    for (Channel& c : channels) c.delivery.scale(factor), c.receipt.scale(factor);
  }
  look(t);
  if (t < learned_at + kLearnEvery_s) return;
  const bool hourly = hour(t) != hour(learned_at);
  learned_at = t;
  for (size_t i = 0; i < channels.size(); ++i) {
    Strengths& strengths = channels[i].strengths;
    strengths.device = channels[i].spread.strength(t);
    channels[i].mixture.refresh();
    if (hourly)
      strengths.segment = levels.segment_strength(static_cast<ChannelNo>(i), decay.inverse(t),
                                                  profiles.maker_of_segment(), strengths.segment);
  }
}

void Router::Impl::look(double t) {
  if (t < looked_at + kLookEvery_s) return;
  const bool after_a_pause = t > looked_at + kPause_s;
  looked_at = t;
  if (after_a_pause) return;
  for (size_t i = 0; i < channels.size(); ++i) {
    const auto channel = static_cast<ChannelNo>(i);
    if (!channels[i].doubt.doubted()) health.look(channel, channels[i].receipt, soft_timeout_s(channel), t);
  }
}

void Router::Impl::grow() {
  levels.set_shape(channels.size(), profiles.makers().size(), profiles.segments());
  health.set_shape(channels.size(), profiles);
  for (Channel& c : channels) {
    const double odds = c.traits.prior / (1 - c.traits.prior);
    while (c.odds.size() < profiles.makers().size()) {
      const std::string& maker = profiles.makers().name(static_cast<uint16_t>(c.odds.size()));
      double ratio = 1;
      for (const auto& [name, rate] : c.traits.manufacturer_priors)
        if (lower_case(name) == maker) ratio = rate / (1 - rate) / odds;
      c.odds.push_back(ratio);
    }
  }
}

Router::Router(Options options) : impl_(std::make_unique<Impl>(options)) {}
Router::~Router() = default;

ChannelNo Router::add_channel(const ChannelTraits& given) {
  ChannelTraits traits = sane(given);
  for (size_t i = 0; i < impl_->channels.size(); ++i) {
    if (impl_->channels[i].traits.name != traits.name) continue;
    impl_->channels[i].traits = std::move(traits);
    impl_->channels[i].odds.clear();
    impl_->grow();
    return static_cast<ChannelNo>(i);
  }
  if (impl_->channels.size() >= kMaxChannels) return kNoChannel;
  impl_->channels.emplace_back(std::move(traits), impl_->decay.weight(impl_->started ? impl_->latest : 0));
  impl_->grow();
  return static_cast<ChannelNo>(impl_->channels.size() - 1);
}

void Router::set_device(DeviceNo device, const DeviceTraits& traits, uint32_t token_mask,
                        std::optional<uint32_t> reports) {
  const uint32_t profile = impl_->profiles.number(traits);
  impl_->grow();
  impl_->has_devices = true;
  DeviceState& state = impl_->devices.at(device);
  if (state.profile != 0 && state.profile != profile) {
    const Profile& before = impl_->profiles.at(state.profile);
    const Profile& after = impl_->profiles.at(profile);
    if (before.os != after.os || before.app != after.app) state.halve();  // an upgrade: half the trust
  }
  state.profile = profile;
  state.tokens = token_mask;
  for (ChannelNo c = 0; c < impl_->channels.size(); ++c) {
    const bool known = state.slot(c) != kNoSlot;
    if ((token_mask >> c & 1) == 0 && !known) continue;
    const unsigned slot = state.borrow(c);
    if (slot == kNoSlot) continue;
    const auto bit = static_cast<uint8_t>(1u << slot);
    if (reports) {
      state.reports = static_cast<uint8_t>((*reports >> c & 1) != 0 ? state.reports | bit : state.reports & ~bit);
    } else if (!known && impl_->channels[c].reports_itself()) {
      state.reports |= bit;
    }
  }
}

void Router::reinstalled(DeviceNo device) {
  if (DeviceState* state = impl_->devices.find(device)) state->new_installation();
}

void Router::forget_device(DeviceNo device) {
  DeviceState* state = impl_->devices.find(device);
  if (state == nullptr) return;
  const auto generation = static_cast<uint8_t>(state->generation + 1);  // old attempts do not speak for the next owner
  *state = DeviceState{};
  state->generation = generation;
}

void Router::alive(DeviceNo device, MonoNs now) {
  const double t = impl_->time(now);
  if (DeviceState* state = impl_->devices.find(device)) state->heard(Impl::hour(t));
}

Decision Router::first(const Ask& ask, MonoNs now, std::vector<CandidateView>* why) {
  return impl_->first(ask, impl_->time(now), why);
}

Decision Router::next(const Ask& ask, MonoNs now, std::vector<CandidateView>* why) {
  return impl_->next(ask, impl_->time(now), why);
}

std::vector<CandidateView> Router::ranking(const Ask& ask, MonoNs now) const {
  const Impl& impl = *impl_;
  const DeviceView device = impl.view(ask.device, impl.time(now));
  Impl::Candidates candidates;
  Impl::Estimates estimates;
  impl.gather(ask, device, candidates, estimates);
  if (!candidates.empty()) {
    const size_t best = best_first(candidates);
    impl.appraise(ask, device, estimates, best, candidates);
    set_propensities(candidates, best, impl.explorations[static_cast<size_t>(ask.priority)]);
  }
  return impl.explain(ask, device, candidates);
}

AttemptMemo Router::sent(const Ask& ask, const Decision& decision, MonoNs now, WallMs wall) {
  const double t = impl_->time(now);
  impl_->note_wall(t, wall);
  return impl_->sent(ask, decision, t, now);
}

void Router::accepted(AttemptMemo& memo, MonoNs now) {
  const double t = impl_->time(now);
  if (memo.channel >= impl_->channels.size()) return;
  impl_->channels[memo.channel].breaker.good(t);
  if ((memo.flags & kAccepted) != 0) return;
  memo.flags |= kAccepted;
  impl_->book.count(memo.channel, impl_->profile(memo), impl_->sent_wall(memo, t), RateEvent::accepted);
}

void Router::rejected(AttemptMemo& memo, bool channels_fault, MonoNs now) {
  const double t = impl_->time(now);
  if (memo.channel >= impl_->channels.size() || memo.state != kOpen) return;
  impl_->reject(memo, channels_fault, t);
}

void Router::token_invalid(AttemptMemo& memo, MonoNs now) {
  const double t = impl_->time(now);
  if (memo.channel >= impl_->channels.size() || memo.state != kOpen) return;
  memo.state = kRejected;  // says nothing about the channel, and next() must not count it as silence
  impl_->settle(memo, t);
  impl_->withdraw(memo, false, t);
  impl_->channels[memo.channel].breaker.good(t);
  if (DeviceState* state = impl_->learner(memo)) state->tokens &= ~(1u << memo.channel);
}

void Router::silent(AttemptMemo& memo, MonoNs now) {
  const double t = impl_->time(now);
  if (memo.channel >= impl_->channels.size() || memo.state != kOpen || (memo.flags & kReporting) == 0) return;
  impl_->settle(memo, t);
  impl_->judge(memo, false, false, t);
  impl_->fail(memo, t);
}

void Router::receipt(AttemptMemo& memo, ReceiptKind kind, MonoNs now, WallMs wall, double delivered_s) {
  const double t = impl_->time(now);
  impl_->note_wall(t, wall);
  impl_->receipt(memo, kind, t, delivered_s);
}

void Router::seen(AttemptMemo& memo, bool had_it, MonoNs now, WallMs wall) {
  const double t = impl_->time(now);
  impl_->note_wall(t, wall);
  if (memo.channel < impl_->channels.size()) impl_->seen(memo, had_it, t);
}

void Router::opened(AttemptMemo& memo, WallMs wall) {
  if (memo.channel >= impl_->channels.size() || (memo.flags & kOpened) != 0) return;
  memo.flags |= kOpened;
  impl_->note_wall(impl_->latest, wall);
  impl_->book.count(memo.channel, impl_->profile(memo), impl_->sent_wall(memo, impl_->latest), RateEvent::opened);
  if (DeviceState* state = impl_->learner(memo)) state->heard(Impl::hour(impl_->latest));
}

void Router::figures(ChannelNo channel, std::string_view manufacturer, WallMs sent_ms, const VendorFigures& told) {
  if (channel >= impl_->channels.size()) return;
  DeviceTraits traits;
  traits.manufacturer = manufacturer;
  const uint32_t profile = impl_->profiles.number(traits);
  impl_->grow();
  impl_->book.add_figures(channel, impl_->profiles.at(profile), sent_ms, told);
}

void Router::quota(ChannelNo channel, double used, double elapsed) {
  if (channel >= impl_->channels.size() || !std::isfinite(used) || !std::isfinite(elapsed)) return;
  Channel& c = impl_->channels[channel];
  c.quota_gone = used >= 1;
  c.quota_price = std::max(0.0, c.quota_price + 0.05 * (used - std::clamp(elapsed, 0.0, 1.0)));
}

std::vector<RateRow> Router::rates(const RateQuery& query) const {
  std::vector<ReceiptKind> labels;
  for (const Channel& c : impl_->channels) labels.push_back(c.traits.receipts);
  return impl_->book.query(query, impl_->profiles, labels);
}

std::vector<Alarm> Router::alarms() const {
  const Impl& impl = *impl_;
  std::vector<Alarm> out;
  for (const Health::Alarmed& a : impl.health.alarms(impl.profiles)) {
    Alarm alarm;
    alarm.channel = a.channel;
    if (a.scope == CellScope::maker || a.scope == CellScope::maker_os)
      alarm.manufacturer = impl.profiles.makers().name(a.maker);
    if (a.scope == CellScope::maker_os) alarm.os = impl.profiles.oses().name(a.os);
    if (a.scope == CellScope::region) alarm.region = impl.profiles.regions().name(a.region);
    alarm.since_ns = impl.origin_ns + static_cast<int64_t>(a.cell->alarmed_at * 1e9);
    alarm.health = a.cell->health;
    out.push_back(std::move(alarm));
  }
  return out;
}

ChannelView Router::channel(ChannelNo number, MonoNs now) const {
  const double t = std::as_const(*impl_).time(now);
  const Channel& c = impl_->channels[number];
  const Pool& pool = impl_->levels.fleet(number);
  ChannelView v;
  v.channel = number;
  v.name = c.traits.name;
  v.samples = pool.trials * impl_->decay.inverse(t);
  v.rate = pool.trials > 0 ? pool.good(1) / pool.trials : 0;
  v.coverage = c.coverage.share(c.traits.coverage, t);
  v.blackout = c.coverage.blackout();
  v.doubted = c.doubt.doubted();
  v.breaker_open = c.breaker.is_open(t);
  v.breaker_left_s = c.breaker.left_s(t);
  v.soft_timeout_s = soft_timeout_s(number);
  v.median_receipt_s = c.receipt.quantile_s(0.5);
  v.p95_receipt_s = c.receipt.quantile_s(0.95);
  v.quota_price = c.quota_price;
  v.sends = c.sends, v.explored = c.explored, v.probed = c.probed;
  v.alarms_raised = impl_->health.trips(number);
  return v;
}

std::vector<ChannelView> Router::channels(MonoNs now) const {
  std::vector<ChannelView> out;
  for (size_t i = 0; i < impl_->channels.size(); ++i) out.push_back(channel(static_cast<ChannelNo>(i), now));
  return out;
}

double Router::soft_timeout_s(ChannelNo channel) const {
  return channel < impl_->channels.size() ? impl_->soft_timeout_s(channel) : impl_->options.max_wait_s;
}

std::string Router::save(MonoNs now, WallMs wall) const {
  return impl_->save(now, wall);
}

Result<void> Router::restore(std::string_view bytes, MonoNs now, WallMs wall) {
  return impl_->restore(bytes, now, wall);
}

void Router::prefetch(DeviceNo device) const {
  if (const DeviceState* state = std::as_const(impl_->devices).find(device)) __builtin_prefetch(state);
}

size_t Router::bytes_per_device() const {
  return sizeof(DeviceState);
}

}  // namespace godwit::routing
