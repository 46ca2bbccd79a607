#include "sim/world.hpp"

#include <algorithm>
#include <cmath>

namespace godwit::sim {

namespace {

// Topics of Chance; each kind of question has its own.
enum Topic : uint64_t {
  kMaker = 1,
  kOs,
  kRegion,
  kRestricted,
  kDormant,
  kPresence,
  kApp,
  kActivity,
  kMakerOs,
  kRegionEffect,
  kSegment,
  kDevice,
  kToken,
  kDead,
  kOff,
  kOnline,
  kStale,
  kGap,
  kThin,
  kWho,
  kClass,
  kWorks,
  kReject,
  kDelay,
  kReceipt,
  kReceiptDelay,
  kForge,
  kChange,
  kChangeTime
};

constexpr double kNightTraffic = 0.25;  // of the daytime rate
constexpr double kLongestAway_s = 12 * 3600;

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

template <class Map>
double by_maker(const Map& map, const std::string& maker) {
  const auto found = map.find(maker);
  if (found != map.end()) return found->second;
  const auto rest = map.find("*");
  return rest != map.end() ? rest->second : 0;
}

uint16_t pick(const std::vector<Named>& from, double u) {
  for (size_t i = 0; i < from.size(); ++i) {
    if (u < from[i].share) return static_cast<uint16_t>(i);
    u -= from[i].share;
  }
  return static_cast<uint16_t>(from.size() - 1);
}

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return list.empty() || std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

bool is_night(double hour) {
  return hour < 7 || hour >= 23;
}

World::World(const Scenario& scenario, uint64_t seed) : scenario_(scenario), chance_(seed) {
  setting_.name = scenario.name;
  setting_.channels = scenario.channels;
  setting_.classes = scenario.classes;
  setting_.events = scenario.events;
  for (const Named& m : scenario.fleet.manufacturers) setting_.makers.push_back(m.name);
  setting_.start_hour = scenario.start_hour;
  setting_.warmup_s = scenario.warmup_h * 3600;
  setting_.end_s = setting_.warmup_s + scenario.measure_h * 3600;
  setting_.piggyback = scenario.piggyback;
  setting_.duplicate_penalty = scenario.duplicate_penalty;
  setting_.away_day = scenario.radio.off_day;
  setting_.away_night = scenario.radio.off_night;
  setting_.bars = scenario.bars;
  make_devices();
  plan_changes();
}

void World::make_devices() {
  const Fleet& f = scenario_.fleet;
  devices_.resize(f.devices);
  activity_.resize(f.devices);
  double sum = 0;
  for (uint32_t d = 0; d < f.devices; ++d) {
    Device& device = devices_[d];
    device.maker = pick(f.manufacturers, chance_.uniform(kMaker, d));
    device.os = pick(f.os_levels, chance_.uniform(kOs, d));
    device.region = pick(f.regions, chance_.uniform(kRegion, d));
    device.restricted = chance_.uniform(kRestricted, d) < f.restricted;
    device.dormant = chance_.uniform(kDormant, d) < f.dormant;
    device.presence = static_cast<float>(scenario_.presence.sigma * chance_.normal(kPresence, d));
    device.app = static_cast<float>(chance_.uniform(kApp, d));
    sum += std::exp(f.activity_sigma * chance_.normal(kActivity, d));
    activity_[d] = sum;
  }
  const size_t makers = f.manufacturers.size(), oses = f.os_levels.size(), regions = f.regions.size();
  for (size_t c = 0; c < scenario_.channels.size(); ++c)
    for (size_t m = 0; m < makers; ++m) {
      base_.push_back(by_maker(scenario_.channels[c].base_logit, f.manufacturers[m].name));
      for (size_t o = 0; o < oses; ++o)
        for (size_t r = 0; r < regions; ++r)
          cell_.push_back(f.sd_manufacturer_os * chance_.normal(kMakerOs, c, m * 1000 + o) +
                          f.sd_region * chance_.normal(kRegionEffect, c, r) +
                          f.sd_segment * chance_.normal(kSegment, c, (m * 1000 + o) * 100000 + r));
    }
}

void World::plan_changes() {
  for (size_t i = 0; i < scenario_.events.size(); ++i) {
    const Event& e = scenario_.events[i];
    if (e.type != EventType::reinstall && e.type != EventType::os_upgrade) continue;
    const auto os_number = [this](const std::string& name) {
      const auto& all = scenario_.fleet.os_levels;
      return static_cast<uint16_t>(
          std::find_if(all.begin(), all.end(), [&](const Named& n) { return n.name == name; }) - all.begin());
    };
    for (uint32_t d = 0; d < devices_.size(); ++d) {
      if (chance_.uniform(kChange, d, i) >= e.fraction || !matches(e, devices_[d], 0)) continue;
      const double end = std::min(e.t1, setting_.end_s);
      const double t = e.t0 + (std::max(e.t0, end) - e.t0) * chance_.uniform(kChangeTime, d, i);
      if (e.type == EventType::reinstall) {
        changes_.push_back({t, d, false, 0});
      } else if (devices_[d].os == os_number(e.from) &&
                 (e.manufacturer == "*" || scenario_.fleet.manufacturers[devices_[d].maker].name == e.manufacturer)) {
        changes_.push_back({t, d, true, os_number(e.to)});
      }
    }
  }
  std::sort(changes_.begin(), changes_.end(),
            [](const Change& a, const Change& b) { return a.t != b.t ? a.t < b.t : a.device < b.device; });
}

bool World::matches(const Event& e, const Device& device, size_t channel) const {
  const ChannelSpec& c = scenario_.channels[channel];
  if (!e.channel.empty() && e.channel != c.name && !(e.channel == "*" && c.kind != ChannelKind::paid)) return false;
  const Fleet& f = scenario_.fleet;
  return contains(e.match_manufacturer, f.manufacturers[device.maker].name) &&
         contains(e.match_os, f.os_levels[device.os].name) && contains(e.match_region, f.regions[device.region].name);
}

bool World::has_token(uint32_t d, size_t c) const {
  const std::string& maker = scenario_.fleet.manufacturers[devices_[d].maker].name;
  return chance_.uniform(kToken, d, c) < by_maker(scenario_.channels[c].token, maker);
}

bool World::is_dead(uint32_t d, size_t c) const {
  return scenario_.channels[c].kind != ChannelKind::connection && scenario_.channels[c].kind != ChannelKind::paid &&
         chance_.uniform(kDead, d, c * 256 + devices_[d].installation) < scenario_.fleet.dead_token;
}

double World::logit(uint32_t d, size_t c, bool night) const {
  const Device& device = devices_[d];
  const ChannelSpec& spec = scenario_.channels[c];
  const Fleet& f = scenario_.fleet;
  const size_t row = c * f.manufacturers.size() + device.maker;
  double x = base_[row] + cell_[(row * f.os_levels.size() + device.os) * f.regions.size() + device.region];
  x += f.device_sd * chance_.normal(kDevice, d, c);
  if (night) x += spec.night_logit;
  if (device.restricted && spec.background_sensitive > 0) {
    const std::string& maker = f.manufacturers[device.maker].name;
    if (spec.background_exempt.empty() || !contains(spec.background_exempt, maker))
      x += spec.background_sensitive * f.restricted_logit;
  }
  return x;
}

double World::multiplier(const Event& e, const Device&, double t) const {
  if (t < e.t0 || t >= e.t1) return 1;
  if (e.type == EventType::rate) {
    const double share = e.ramp_s > 0 ? std::min(1.0, (t - e.t0) / e.ramp_s) : 1;
    return 1 + (e.mul - 1) * share;
  }
  if (e.type == EventType::flap) return std::fmod(t - e.t0, e.period_s) < e.duty * e.period_s ? e.mul : 1;
  return 1;
}

bool World::is_off(uint32_t d, double t) const {
  const auto block = static_cast<uint64_t>(t / scenario_.radio.block_s);
  const double start = static_cast<double>(block) * scenario_.radio.block_s;
  return chance_.uniform(kOff, d, block) <
         (is_night(hour(start)) ? scenario_.radio.off_night : scenario_.radio.off_day);
}

double World::away_s(uint32_t d, double t) const {
  double back = t;
  while (is_off(d, back) && back - t < kLongestAway_s)
    back = (std::floor(back / scenario_.radio.block_s) + 1) * scenario_.radio.block_s;
  return back - t;
}

bool World::is_online(uint32_t d, double t, bool off) const {
  const Presence& p = scenario_.presence;
  const auto block = static_cast<uint64_t>(t / p.block_s);
  double share = sigmoid(std::log(std::max(1e-9, p.base) / std::max(1e-9, 1 - p.base)) + devices_[d].presence);
  if (devices_[d].restricted) share *= p.restricted_factor;
  if (is_night(hour(t))) share *= p.night_factor;
  if (devices_[d].dormant) return false;
  if (chance_.uniform(kOnline, d, block) >= share) return false;
  return !off || chance_.uniform(kStale, d, block) < p.stale_when_off;
}

Fate World::fate(const Message& m, size_t c, bool off) const {
  const Device& device = devices_[m.device];
  const ChannelSpec& spec = scenario_.channels[c];
  Fate f;
  f.available = has_token(m.device, c) && (spec.kind != ChannelKind::connection || is_online(m.device, m.t, off));
  double mul = 1, reject = 0, loss = 0, forged = 0;
  for (const Event& e : scenario_.events) {
    if (e.channel.empty() || !matches(e, device, c)) continue;
    if (e.type == EventType::introduce && m.t < e.t0) f.available = false;
    if (m.t < e.t0 || m.t >= e.t1) continue;
    mul *= multiplier(e, device, m.t);
    if (e.type == EventType::reject) reject = std::max(reject, e.p);
    if (e.type == EventType::receipt_loss) loss = std::max(loss, e.loss);
    if (e.type == EventType::receipt_forge) forged = std::max(forged, e.p);
  }
  const bool hopeless = device.dormant || is_dead(m.device, c);
  const double alone = sigmoid(logit(m.device, c, is_night(hour(m.t)))) * mul;
  f.p = hopeless ? 0 : std::clamp(alone, 0.0, 1.0) * (1 - reject);
  f.reject = chance_.uniform(kReject, m.id, c) < reject;
  f.works = !f.reject && !hopeless && chance_.uniform(kWorks, m.id, c) < alone;
  f.delay_s = chance_.log_normal(spec.delay.median_s, spec.delay.sigma, kDelay, m.id, c);
  const bool reports = spec.reports() && device.app < spec.device_share;
  const bool told = chance_.uniform(kReceipt, m.id, c) < spec.coverage * (1 - loss);
  const bool lie = !f.works && !f.reject && chance_.uniform(kForge, m.id, c) < forged;
  if (reports && ((f.works && told) || lie))
    f.receipt_s = chance_.log_normal(spec.receipt_delay.median_s, spec.receipt_delay.sigma, kReceiptDelay, m.id, c);
  return f;
}

void World::describe(uint32_t d, double t, const char* why, DeviceChange& out) const {
  const Fleet& f = scenario_.fleet;
  const Device& device = devices_[d];
  out.t = t;
  out.device = d;
  out.maker = f.manufacturers[device.maker].name;
  out.os = f.os_levels[device.os].name;
  out.region = f.regions[device.region].name;
  out.tokens = 0;
  for (size_t c = 0; c < scenario_.channels.size(); ++c) {
    if (has_token(d, c)) out.tokens |= 1u << c;
  }
  out.reports = reports(d);
  out.why = why;
}

uint32_t World::reports(uint32_t d) const {
  uint32_t mask = 0;
  for (size_t c = 0; c < scenario_.channels.size(); ++c)
    if (scenario_.channels[c].reports() && devices_[d].app < scenario_.channels[c].device_share) mask |= 1u << c;
  return mask;
}

Source::Kind World::next(DeviceChange& change, Message& message) {
  if (introduced_ < devices_.size()) {
    describe(introduced_++, 0, "new", change);
    return Kind::device;
  }
  if (next_message_ == 0) next_message_ = 1e-3;
  const double per_s = scenario_.fleet.messages_per_device_day * scenario_.fleet.devices / 86400;
  const double most = per_s * 24 / (16 + 8 * kNightTraffic);  // so that a day has the average that was asked for
  while (true) {
    if (changed_ < changes_.size() && changes_[changed_].t <= next_message_) {
      const Change& c = changes_[changed_++];
      if (c.upgrade) {
        devices_[c.device].os = c.to;
      } else {
        ++devices_[c.device].installation;
      }
      describe(c.device, c.t, c.upgrade ? "os_upgrade" : "reinstall", change);
      return Kind::device;
    }
    if (next_message_ >= setting_.end_s) return Kind::end;
    const uint64_t id = messages_++;
    const double t = next_message_;
    next_message_ = t - std::log(chance_.uniform(kGap, id)) / most;
    if (is_night(hour(t)) && chance_.uniform(kThin, id) >= kNightTraffic) continue;
    message.t = t;
    message.id = id;
    const double who = chance_.uniform(kWho, id) * activity_.back();
    message.device =
        static_cast<uint32_t>(std::upper_bound(activity_.begin(), activity_.end(), who) - activity_.begin());
    message.device = std::min<uint32_t>(message.device, static_cast<uint32_t>(devices_.size()) - 1);
    double total = 0, u = chance_.uniform(kClass, id);
    for (const MessageClass& c : scenario_.classes) total += c.share;
    message.cls = 0;
    u *= total;
    while (message.cls + 1 < scenario_.classes.size() && u >= scenario_.classes[message.cls].share)
      u -= scenario_.classes[message.cls++].share;
    const bool off = is_off(message.device, t);
    message.away_s = off ? away_s(message.device, t) : 0;
    for (size_t c = 0; c < scenario_.channels.size(); ++c) message.fates[c] = fate(message, c, off);
    return Kind::message;
  }
}

}  // namespace godwit::sim
