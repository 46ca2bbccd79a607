#include "broker/routing/health.hpp"

#include <algorithm>
#include <cmath>

namespace godwit::routing {

namespace {

constexpr double kDay_s = 86400, kQuarter_s = Health::kRemembered_s;
constexpr double kHalved = 0.5, kNothing = Health::kNothing;  // the falls that the two tests are tuned to
constexpr double kRecovered = 0.9;                            // of the expected deliveries
constexpr double kClear = 7, kWell = 3;                       // nats against "as sick as before", and against half
constexpr double kWorse = 5;
constexpr double kFollows = 5, kSameTrouble_s = 60;  // what the rest of a wider cell must have seen, and how soon
constexpr double kCreditLasts = 0.5;                 // its half-life, in the channel's patience
constexpr double kProbeEvery_s = 15, kProbeQuickly_s = 3, kProbeAnyway_s = 60;
constexpr double kHopeful = 1.5, kMostlyGone = 0.35;  // nats for the end of a fall this deep: then it is probed quickly
constexpr double kTelling = 0.5;      // a phone that would hear less than this of a healthy channel tells little of it
constexpr double kSurelySick_s = 45;  // hardly any trouble is over sooner, and what was sent before still tells of it
constexpr double kCheapProbe = 0.3;
constexpr uint32_t kDecisionsPerProbe = 8, kDecisionsPerQuickProbe = 2;  // where messages are rare, probes must not
                                                                         // be most of them

double step(double left, bool success, double p) {
  return success ? std::log(left) : std::log((1 - left * p) / (1 - p));
}

// One outcome more for "recovered", against "only `sick` of the deliveries arrive".
double against(double sick, bool success, double p) {
  return success ? std::log(kRecovered / sick) : std::log((1 - kRecovered * p) / (1 - sick * p));
}

void calm(HealthCell& cell) {
  cell.suspicion = cell.despair = cell.since_successes = cell.since_expected = 0;
  cell.fallen_successes = cell.fallen_expected = cell.suspected_before = 0;
  cell.heard = 0;
}

// One outcome more for the test for "next to nothing" of what is left of the chance p that was expected.
void despair(HealthCell& cell, bool success, double p, double left) {
  if (cell.despair <= 0) cell.suspected_before = std::max(0.0, cell.suspicion);
  cell.despair += step(kNothing, success, p * left);
  if (cell.despair <= 0) {
    cell.fallen_successes = cell.fallen_expected = 0;
    return;
  }
  cell.fallen_successes += success;
  cell.fallen_expected += p;
}

// Whether the latest outcomes look more like a total fall than like half of one, whatever was suspected before.
bool has_fallen(const HealthCell& cell) {
  return cell.despair > 0 && cell.despair > cell.suspicion - cell.suspected_before;
}

bool is_new_witness(HealthCell& cell, DeviceNo device) {
  const size_t known = std::min<size_t>(cell.heard, cell.witnesses.size());
  if (std::find(cell.witnesses.begin(), cell.witnesses.begin() + known, device + 1) != cell.witnesses.begin() + known)
    return false;
  cell.witnesses[cell.heard++ % cell.witnesses.size()] = device + 1;
  return true;
}

double evidence(const HealthCell& cell) {
  return std::max(cell.suspicion, cell.despair);
}

double left_of(const Decayed& successes, const Decayed& expected, double t) {
  return (successes.read(t, kQuarter_s) + 2 * kHalved) / (expected.read(t, kQuarter_s) + 2);
}

void update_health(HealthCell& cell, double t) {
  cell.health = std::clamp(left_of(cell.successes, cell.expected, t), Health::kLeastHealth, 1.0);
}

// One outcome more for the second test. True when the channel is well again.
bool is_well(HealthCell& cell, bool success, double p, double t) {
  if (cell.recovery <= 0) {
    const double lasting = left_of(cell.lasting_successes, cell.lasting_expected, t);
    cell.sick = std::clamp(lasting, Health::kLeastSick, Health::kMostSick);
    cell.wellness = cell.risen_successes = cell.risen_expected = 0;
  }
  const double before = cell.recovery;
  cell.recovery = std::max(0.0, cell.recovery + against(cell.sick, success, p));
  cell.wellness += against(kHalved, success, p);
  cell.risen_successes += success;
  cell.risen_expected += p;
  if (cell.recovery <= kClear) return false;
  if (cell.wellness > kWell) return true;
  const bool is_partial = cell.wellness <= 0;
  if (before <= kClear || is_partial) {  // it is better: the average would take a quarter of an hour to say so
    cell.successes = cell.lasting_successes = {cell.risen_successes, t};
    cell.expected = cell.lasting_expected = {cell.risen_expected, t};
    update_health(cell, t);
  }
  if (is_partial) cell.recovery = 0;
  return false;
}

}  // namespace

// One false trip per cell and week: the threshold is the logarithm of how often it is asked.
double Health::threshold(const HealthCell& cell, double t) {
  const double per_week = cell.events.read(t, kDay_s) * std::log(2.0) * 7;
  const double usual = std::clamp(std::log(std::max(1.0, per_week)), kLeastThreshold, kMostThreshold);
  return t < cell.accused_until ? std::min(usual, kFollows) : usual;
}

void Health::set_shape(size_t channels, const Profiles& profiles) {
  for (size_t c = 0; c < channels; ++c) {
    channels_[c].makers.resize(profiles.makers().size());
    channels_[c].maker_oses.resize(profiles.maker_oses());
    channels_[c].regions.resize(profiles.regions().size());
  }
}

uint64_t Health::trips() const {
  uint64_t sum = 0;
  for (const PerChannel& channel : channels_) sum += channel.trips;
  return sum;
}

size_t Health::cells() const {
  size_t count = 0;
  for (const PerChannel& channel : channels_)
    if (!channel.makers.empty()) for_each_cell(channel, [&count](const HealthCell&) { ++count; });
  return count;
}

double Health::product(ChannelNo channel, const Profile& profile) const {
  double h = 1;
  for_each_cover(channels_[channel], profile, [&h](const HealthCell& cell) { h *= cell.alarmed ? cell.health : 1; });
  return h;
}

void Health::judge(ChannelNo number, const Profile& profile, const Sent& attempt, bool success, double patience_s,
                   double t) {
  PerChannel& channel = channels_[number];
  const double all = factor(number, profile);
  const double expected = std::clamp(attempt.expected, 0.001, kMostExpected);
  const auto [said_at, said] =
      channel.recent.settle(attempt.device, attempt.t, success ? RecentSend::arrived : RecentSend::silent);
  Cover cover;
  size_t n = 0;
  for_each_cover(channel, profile, [&](HealthCell& cell) { cover[n++] = &cell; });
  const HealthCell* tripped = nullptr;
  for (HealthCell* cell : cover) {
    cell->events.add(t, kDay_s, 1);
    if (cell->alarmed) {
      const double unsaid = said_at == cell->alarmed_at ? 1 - said : 1;
      judge_alarmed(channel, *cell, success, expected * all / cell->health, unsaid, t);
    } else if (all >= kLeft && suspect(*cell, attempt.device, success, expected * all, patience_s, t) &&
               tripped == nullptr) {
      tripped = cell;
    }
  }
  if (tripped != nullptr)
    trip(channel, cover, static_cast<size_t>(std::find(cover.begin(), cover.end(), tripped) - cover.begin()), t);
}

// True when the cell should trip.
bool Health::suspect(HealthCell& cell, DeviceNo device, bool success, double p, double patience_s, double t) {
  const double fade = std::exp2(-std::max(0.0, t - cell.judged_at) / (kCreditLasts * patience_s));
  cell.judged_at = t;
  for (double* credit : {&cell.suspicion, &cell.despair})
    if (*credit < 0) *credit *= fade;
  if (!success && !is_new_witness(cell, device)) return false;
  despair(cell, success, p, 1);
  cell.suspicion += step(kHalved, success, p);
  if (cell.suspicion <= 0) {
    cell.despair = std::min(0.0, cell.despair);
    cell.fallen_successes = cell.fallen_expected = 0;
    cell.since_successes = cell.since_expected = 0;
    cell.heard = 0;
    return false;
  }
  cell.since_successes += success;
  cell.since_expected += p;
  return evidence(cell) > threshold(cell, t);
}

void Health::trip(PerChannel& channel, const Cover& cover, size_t at, double t) {
  at = widened(cover, at, evidence);
  const HealthCell& cell = *cover[at];
  const bool fallen = has_fallen(cell);
  raise(channel, cover, at, fallen ? cell.fallen_successes : cell.since_successes,
        fallen ? cell.fallen_expected : cell.since_expected, t);
}

void Health::raise(PerChannel& channel, const Cover& cover, size_t at, double successes, double expected, double t) {
  HealthCell& cell = *cover[at];
  const HealthCell seen = cell;
  // What the tripped cell explains is explained. Wider cells keep what they saw elsewhere; the others suspect anew.
  for (size_t wider = wider_of(at); at != kAll; wider = wider_of(wider)) {
    HealthCell& w = *cover[wider];
    w.accused_until = t + kSameTrouble_s;
    w.suspicion = std::max(0.0, w.suspicion - seen.suspicion);
    w.despair = std::max(0.0, w.despair - seen.despair);
    if (w.suspicion <= 0) calm(w);
    if (wider == kAll) break;
  }
  for_each_cell(channel, [&](HealthCell& other) {
    const bool is_wider = at != kAll && (&other == cover[kAll] || (at == kMakerOs && &other == cover[kMaker]));
    if (!other.alarmed && !is_wider) calm(other);
  });
  cell.alarmed = true;
  cell.alarmed_at = t;
  cell.quiet_until = t + kSurelySick_s;
  cell.passed_over = 0;
  cell.recovery = 0;
  cell.successes = cell.lasting_successes = {successes, t};
  cell.expected = cell.lasting_expected = {expected, t};
  cell.despair = cell.fallen_successes = cell.fallen_expected = 0;
  update_health(cell, t);
  ++channel.alarms;
  ++channel.trips;
}

void Health::judge_alarmed(PerChannel& channel, HealthCell& cell, bool success, double p, double unsaid, double t) {
  p = std::clamp(p, 0.001, 0.98);
  for (Decayed* successes : {&cell.successes, &cell.lasting_successes}) successes->add(t, kQuarter_s, success);
  for (Decayed* expected : {&cell.expected, &cell.lasting_expected}) expected->add(t, kQuarter_s, p * unsaid);
  despair(cell, success, p, cell.health);
  if (cell.despair <= 0) {
    cell.despair = 0;
  } else if (cell.despair > kWorse) {  // it fell further: the average would take a quarter of an hour to say so
    cell.successes = {cell.fallen_successes, t};
    cell.expected = {cell.fallen_expected, t};
    cell.despair = cell.fallen_successes = cell.fallen_expected = 0;
  }
  update_health(cell, t);
  if (!is_well(cell, success, p, t)) return;
  channel.recent.forget();  // the silences of the sick time must not raise it again
  cell.alarmed = false;
  cell.health = 1;
  cell.recovery = 0;
  calm(cell);
  --channel.alarms;
}

bool Health::wants_probe(ChannelNo number, const Profile& profile, double loss, double chance, double t) const {
  bool wanted = false;
  for_each_cover(channels_[number], profile, [&](const HealthCell& cell) {
    if (!cell.alarmed) return;
    const bool hopeful = cell.recovery > kHopeful && cell.sick < kMostlyGone;
    if (cell.passed_over < (hopeful ? kDecisionsPerQuickProbe : kDecisionsPerProbe)) return;
    const double silent_s = t - cell.quiet_until + kProbeEvery_s;
    const bool cheap = chance >= kTelling && (hopeful || loss < kCheapProbe);
    wanted |= silent_s >= (hopeful ? kProbeQuickly_s : kProbeEvery_s) && (cheap || silent_s >= kProbeAnyway_s);
  });
  return wanted;
}

void Health::passed_over(ChannelNo number, const Profile& profile) {
  for_each_cover(channels_[number], profile, [](HealthCell& cell) { cell.passed_over += cell.alarmed; });
}

void Health::first_sent(ChannelNo number, const Profile& profile, double chance, double t) {
  if (channels_[number].alarms == 0) return;
  for_each_cover(channels_[number], profile, [&](HealthCell& cell) {
    cell.quiet_until = std::max(cell.quiet_until, t + kProbeEvery_s * std::min(1.0, chance / kTelling));
    cell.passed_over = 0;
  });
}

void Health::clear(ChannelNo channel) {
  for_each_cell(channels_[channel], [](HealthCell& cell) {
    cell.alarmed = false;
    cell.health = 1;
    cell.recovery = 0;
    calm(cell);
  });
  channels_[channel].alarms = 0;
  channels_[channel].recent.forget();
}

std::vector<Health::Alarmed> Health::alarms(const Profiles& profiles) const {
  std::vector<Alarmed> out;
  for (size_t i = 0; i < channels_.size(); ++i) {
    const PerChannel& channel = channels_[i];
    if (channel.alarms == 0) continue;
    const auto c = static_cast<ChannelNo>(i);
    if (channel.all.alarmed) out.push_back({c, CellScope::channel, 0, 0, 0, &channel.all});
    for (size_t m = 0; m < channel.makers.size(); ++m)
      if (channel.makers[m].alarmed)
        out.push_back({c, CellScope::maker, static_cast<uint16_t>(m), 0, 0, &channel.makers[m]});
    for (size_t k = 0; k < channel.maker_oses.size(); ++k) {
      const auto [maker, os] = profiles.maker_os(static_cast<uint32_t>(k));
      if (channel.maker_oses[k].alarmed) out.push_back({c, CellScope::maker_os, maker, os, 0, &channel.maker_oses[k]});
    }
    for (size_t r = 0; r < channel.regions.size(); ++r)
      if (channel.regions[r].alarmed)
        out.push_back({c, CellScope::region, 0, 0, static_cast<uint16_t>(r), &channel.regions[r]});
  }
  return out;
}

}  // namespace godwit::routing
