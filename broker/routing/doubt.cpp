#include "broker/routing/doubt.hpp"

#include <algorithm>
#include <cmath>

namespace godwit::routing {

namespace {

constexpr double kLie = 0.6;  // the chance of a receipt from a hopeless phone that the test is tuned to
// Expectations this low are a little too low (2 to 5 points measured), and phones do come back to life.
constexpr double kSlack = 0.05, kSlope = 1.5;
constexpr double kConvinced = 20;  // nats; in honest scenarios no test came above 12
constexpr double kHour_s = 3600, kDay_s = 86400;
constexpr double kLeastSure = 0.25;  // how far health is believed to be from 1 before anything is measured
constexpr double kLeastHealth = 0.02, kLeastGap = 0.07;
// A channel that truly became better for such phones looks the same while nothing proves it. So doubt ends, and then
// the channel is believed for as long as its old record lasts.
constexpr double kLongest_s = 3 * kDay_s, kBelieved_s = 20 * kDay_s;

}  // namespace

void Doubt::Sums::add(const Outcome& outcome, double t) {
  sends.add(t, kHour_s, 1);
  receipts.add(t, kHour_s, outcome.arrived ? 1 : 0);
  expected.add(t, kHour_s, outcome.expected);
}

bool Doubt::is_new_witness(DeviceNo device) {
  if (std::find(witnesses_.begin(), witnesses_.end(), device + 1) != witnesses_.end()) return false;
  witnesses_[heard_++ % witnesses_.size()] = device + 1;
  return true;
}

void Doubt::begin(double t) {
  doubted_ = true;
  since_ = t;
  evidence_ = 0;
  hopeless_ = others_ = {};
  hopeless_.sends = {5, t}, hopeless_.receipts = {4, t};  // what convinced
}

void Doubt::hear(const Outcome& outcome, double t) {
  const bool hopeless = outcome.expected <= kHopeless;
  if (doubted_ && outcome.first_send && !outcome.proven) (hopeless ? hopeless_ : others_).add(outcome, t);
  if (!hopeless || !is_new_witness(outcome.device)) return;
  const double honest = kSlack + kSlope * outcome.expected;
  double lie = outcome.arrived ? std::log(kLie / honest) : std::log((1 - kLie) / (1 - honest));
  if (outcome.proven) lie = -std::abs(lie);
  evidence_ = std::max(0.0, evidence_ + (doubted_ ? -lie : lie));
  if (!doubted_) {
    if (evidence_ > kConvinced && t >= believed_until_) begin(t);
  } else if (evidence_ > kConvinced) {
    doubted_ = false, evidence_ = 0;
  } else if (t > since_ + kLongest_s) {
    doubted_ = false, evidence_ = 0, believed_until_ = t + kBelieved_s;
  }
}

double Doubt::invented(double told, double t) const {
  const double sends = std::max(1.0, hopeless_.sends.read(t, kHour_s));
  const double receipts = hopeless_.receipts.read(t, kHour_s) / sends;
  const double expected = hopeless_.expected.read(t, kHour_s) / sends;
  return std::clamp((receipts - expected) / std::max(0.1, 1 - expected / told), 0.0, std::max(0.0, told - kLeastGap));
}

// receipts = expected * health + invented * (sends - expected * health / told), solved for health; and as sure of that
// as the number of sends allows.
double Doubt::health(double told, double t) const {
  if (!doubted_) return 1;
  told = std::clamp(told, 0.1, 1.0);
  const double lies = invented(told, t);
  const double sends = others_.sends.read(t, kHour_s), receipts = others_.receipts.read(t, kHour_s);
  const double expected = others_.expected.read(t, kHour_s);
  const double per_receipt = told / (told - lies);
  const double arrived = (receipts - lies * sends) * per_receipt;
  const double share = (receipts + 1) / (sends + 2);
  const double variance = 1 + sends * share * (1 - share) * per_receipt * per_receipt;
  constexpr double kPrior = 1 / (kLeastSure * kLeastSure);
  return std::clamp((arrived * expected / variance + kPrior) / (expected * expected / variance + kPrior), kLeastHealth,
                    1.0);
}

void Doubt::save(ByteWriter& out) const {
  out.u8(doubted_ ? 1 : 0);
  for (const double v : {since_, believed_until_, evidence_}) out.f64(v);
  for (const uint32_t device : witnesses_) out.u32(device);
  out.u32(heard_);
  for (const Sums* sums : {&hopeless_, &others_})
    for (const Decayed& d : {sums->sends, sums->receipts, sums->expected}) {
      out.f64(d.sum);
      out.f64(d.at);
    }
}

void Doubt::restore(ByteReader& in) {
  const auto number = [&in] {
    const double v = in.f64();
    if (!(v >= 0 && v < 1e15)) in.fail();
    return v;
  };
  doubted_ = in.u8() != 0;
  for (double* v : {&since_, &believed_until_, &evidence_}) *v = number();
  for (uint32_t& device : witnesses_) device = in.u32();
  heard_ = in.u32();
  for (Sums* sums : {&hopeless_, &others_})
    for (Decayed* d : {&sums->sends, &sums->receipts, &sums->expected}) {
      d->sum = number();
      d->at = number();
    }
}

}  // namespace godwit::routing
