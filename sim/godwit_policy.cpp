// The broker's own router, fed as the broker's engine feeds it.
#include <algorithm>
#include <array>

#include "broker/routing/router.hpp"
#include "sim/policy.hpp"

namespace godwit::sim {

namespace {

using namespace godwit::routing;

constexpr MonoNs kStart_ns = 1'000'000'000'000;
constexpr WallMs kWall_ms = 1'790'000'000'000;

MonoNs mono(double t) {
  return kStart_ns + static_cast<MonoNs>(t * 1e9);
}
WallMs wall(double t) {
  return kWall_ms + static_cast<WallMs>(t * 1e3);
}

// What a plugin's manifest would say before anything is measured: routing.md section 9.
ChannelTraits traits_of(const ChannelSpec& spec) {
  ChannelTraits t;
  t.name = spec.name;
  t.receipts = spec.reports() ? ReceiptKind::device : ReceiptKind::accepted;
  t.cost = spec.cost;
  t.coverage = spec.coverage;
  t.dedupe = spec.dedupe;
  t.typical_delay_s = spec.delay.median_s + spec.receipt_delay.median_s;
  switch (spec.kind) {
    case ChannelKind::connection:
      t.prior = 0.92;
      t.connection = true;
      break;
    case ChannelKind::vendor:
      t.prior = 0.5;
      for (const auto& [maker, logit] : spec.base_logit)
        if (maker != "*") t.manufacturer_priors.emplace_back(maker, 0.7);
      if (t.manufacturer_priors.empty()) t.prior = 0.7;
      break;
    case ChannelKind::third:
      t.prior = 0.6;
      break;
    case ChannelKind::paid:
      t.prior = 0.9;
      t.costly = true;
      t.path = 1;
      break;
  }
  return t;
}

class Godwit final : public Policy {
 public:
  Godwit(const Setting& setting, uint64_t seed) : setting_(setting), router_(options(setting, seed)) {
    for (const ChannelSpec& spec : setting.channels) router_.add_channel(traits_of(spec));
  }

  void device(const DeviceChange& d) override {
    router_.set_device(d.device, {d.maker, "", d.os, d.region, ""}, d.tokens, d.reports);
    if (d.why == "reinstall") router_.reinstalled(d.device);
  }

  Decision first(InFlight& m, double t) override {
    for (size_t c = 0; c < setting_.channels.size(); ++c)
      if (setting_.channels[c].kind == ChannelKind::connection && m.message.fates[c].available)
        router_.alive(m.message.device, mono(t));
    return router_.first(ask(m, t), mono(t));
  }
  Decision next(InFlight& m, double t) override { return router_.next(ask(m, t), mono(t)); }

  void sent(InFlight& m, const Decision& d, double t) override {
    const AttemptMemo memo = router_.sent(ask(m, t), d, mono(t), wall(t));
    m.memos.push_back(memo);
  }
  void accepted(InFlight& m, size_t i, double t) override { router_.accepted(m.memos[i], mono(t)); }
  void rejected(InFlight& m, size_t i, double t) override { router_.rejected(m.memos[i], true, mono(t)); }
  double soft_timeout_s(ChannelNo c) const override { return router_.soft_timeout_s(c); }
  void silent(InFlight& m, size_t i, double t) override {
    if (m.attempts[i].reporting) judged(m.memos[i], false, t);
    router_.silent(m.memos[i], mono(t));
  }
  void receipt(InFlight& m, size_t i, double t, double delivered_s) override {
    if (m.attempts[i].reporting && t - m.attempts[i].sent <= router_.soft_timeout_s(m.memos[i].channel))
      judged(m.memos[i], true, t);
    router_.receipt(m.memos[i], ReceiptKind::device, mono(t), wall(t), delivered_s);
  }
  void seen(InFlight& m, size_t i, bool had_it, double t) override {
    router_.seen(m.memos[i], had_it, mono(t), wall(t));
  }
  void quota(ChannelNo c, double used, double elapsed) override { router_.quota(c, used, elapsed); }
  Router* router() override { return &router_; }
  const Calibration* calibration() const override { return &calibration_; }

 private:
  static Options options(const Setting& setting, uint64_t seed) {
    Options o;
    o.seed = seed;
    o.duplicate_penalty = setting.duplicate_penalty;
    for (size_t i = 0; i < setting.classes.size(); ++i) {
      const auto priority = static_cast<size_t>(priority_of(setting.classes, i));
      o.value[priority] = setting.classes[i].value;
      o.exploration[priority] = setting.classes[i].explore;
    }
    return o;
  }

  Ask ask(const InFlight& m, double t) const {
    const MessageClass& c = setting_.classes[m.message.cls];
    Ask a;
    a.device = m.message.device;
    a.priority = priority_of(setting_.classes, m.message.cls);
    a.offers = m.offers;
    a.attempts = m.memos;
    a.age_s = t - m.message.t;
    a.left_s = c.deadline_s - a.age_s;
    a.allow_costly = c.paid;
    return a;
  }

  void judged(const AttemptMemo& memo, bool came, double t) {
    if (memo.state != 0 || t < setting_.warmup_s || (setting_.channels[memo.channel].kind == ChannelKind::paid)) return;
    const double expected = memo.expected * memo.health;
    CalibrationBin& bin = calibration_[static_cast<size_t>(std::min(9.0, expected * 10))];
    bin.attempts += 1, bin.expected += expected, bin.came += came;
  }

  const Setting& setting_;
  Calibration calibration_{};
  Router router_;
};

}  // namespace

std::unique_ptr<Policy> make_godwit(const Setting& setting, uint64_t seed) {
  return std::make_unique<Godwit>(setting, seed);
}

}  // namespace godwit::sim
