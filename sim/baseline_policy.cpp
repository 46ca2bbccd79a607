// What people use today: a random channel, a static table per manufacturer, the best channel of the fleet, and
// epsilon-greedy per segment. In a cascade each of them tries its next free channel after a fixed 15 s.
#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include "broker/base/random.hpp"
#include "sim/policy.hpp"

namespace godwit::sim {

namespace {

using namespace godwit::routing;

constexpr double kFailover_s = 15;
constexpr size_t kMostSends = 2;
constexpr double kHalfLife_s = 2 * 3600;

class Baseline : public Policy {
 public:
  Baseline(const Setting& setting, uint64_t seed) : setting_(setting), random_(seed ^ 0xba5e) {}

  void device(const DeviceChange& d) override {
    if (d.device >= devices_.size()) devices_.resize(d.device + 1);
    devices_[d.device] = {d.maker, d.maker + "/" + d.os + "/" + d.region};
  }
  Decision first(InFlight& m, double t) override { return pick(m, t); }
  Decision next(InFlight& m, double t) override {
    for (const Attempt& a : m.attempts)
      if (a.heard) return {};
    if (m.attempts.size() >= kMostSends) return {};
    return pick(m, t);
  }

 protected:
  struct Kind {
    std::string maker, segment;
  };
  virtual double score(const Kind& kind, ChannelNo channel, double t) = 0;

  Decision pick(const InFlight& m, double t) {
    Decision best;
    bool best_paid = true;
    for (const Offer& offer : m.offers) {
      const ChannelNo c = offer.channel;
      const bool paid = setting_.channels[c].kind == ChannelKind::paid;
      if (offer.sleep != Sleep::awake || (paid && (!setting_.classes[m.message.cls].paid || !m.attempts.empty())))
        continue;
      if (std::any_of(m.attempts.begin(), m.attempts.end(), [c](const Attempt& a) { return a.channel == c; })) continue;
      const double s = score(devices_[m.message.device], c, t);
      if (best.action == Action::send && (paid != best_paid ? paid : s <= best.utility)) continue;
      best.action = Action::send, best.channel = c, best.utility = s, best.p = s;
      best_paid = paid;
    }
    best.next_check_s = kFailover_s;
    return best;
  }

  const Setting& setting_;
  Random random_;
  std::vector<Kind> devices_;
};

class RandomChannel final : public Baseline {
  using Baseline::Baseline;
  double score(const Kind&, ChannelNo, double) override { return random_.uniform(); }
};

// The table that an experienced operator writes down once: our own connection when it is up, the manufacturer's own
// channel, then the rest by what is generally said about them. It does not know channels that come later.
class StaticTable final : public Baseline {
  using Baseline::Baseline;
  double score(const Kind& kind, ChannelNo channel, double) override {
    const ChannelSpec& spec = setting_.channels[channel];
    if (spec.kind == ChannelKind::connection) return 1000;
    for (const Event& e : setting_.events)
      if (e.type == EventType::introduce && e.channel == spec.name) return -1000;
    const auto found = spec.base_logit.find(kind.maker);
    return found != spec.base_logit.end() ? found->second : spec.base_logit.at("*");
  }
};

// Rates by key, discounted, with one success in two trials to begin with.
class Learner : public Baseline {
  using Baseline::Baseline;

 public:
  void receipt(InFlight& m, size_t i, double t, double) override { learn(m, m.attempts[i], true, t); }
  void silent(InFlight& m, size_t i, double t) override { learn(m, m.attempts[i], false, t); }

 protected:
  virtual std::string key(const Kind& kind, ChannelNo channel) const = 0;
  double rate(const Kind& kind, ChannelNo channel, double t) {
    Sums& s = sums_[key(kind, channel)];
    s.fade(t);
    return (s.good + 1) / (s.good + s.bad + 2);
  }

 private:
  struct Sums {
    double good = 0, bad = 0, at = 0;
    void fade(double t) {
      if (t <= at) return;
      const double by = std::exp2(-(t - at) / kHalfLife_s);
      good *= by, bad *= by, at = t;
    }
  };
  void learn(const InFlight& m, const Attempt& a, bool good, double t) {
    if (!a.reporting) return;
    Sums& s = sums_[key(devices_[m.message.device], a.channel)];
    s.fade(t);
    (good ? s.good : s.bad) += 1;
  }
  std::unordered_map<std::string, Sums> sums_;
};

class Greedy final : public Learner {
  using Learner::Learner;
  std::string key(const Kind&, ChannelNo channel) const override { return std::to_string(channel); }
  double score(const Kind& kind, ChannelNo channel, double t) override { return rate(kind, channel, t); }
};

class Epsilon final : public Learner {
  using Learner::Learner;
  static constexpr double kEpsilon = 0.01;
  std::string key(const Kind& kind, ChannelNo channel) const override {
    return kind.segment + "/" + std::to_string(channel);
  }
  double score(const Kind& kind, ChannelNo channel, double t) override {
    return (random_.uniform() < kEpsilon ? 1 + random_.uniform() : 0) + rate(kind, channel, t);
  }
};

}  // namespace

std::unique_ptr<Policy> make_baseline(const std::string& name, const Setting& setting, uint64_t seed) {
  if (name == "random") return std::make_unique<RandomChannel>(setting, seed);
  if (name == "static-best") return std::make_unique<StaticTable>(setting, seed);
  if (name == "greedy") return std::make_unique<Greedy>(setting, seed);
  if (name == "epsilon") return std::make_unique<Epsilon>(setting, seed);
  return nullptr;
}

}  // namespace godwit::sim
