#include "broker/routing/mixture.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace godwit::routing {

namespace {

// Offsets from the middle of a segment in log odds; the first class is dead: it never answers, whatever the segment.
constexpr std::array<double, Mixture::kClasses> kOffsets{0, -3.2, -2.0, -1.0, -0.3, 0.3, 0.9, 1.8};
constexpr Mixture::Shares kStart{0.05f, 0.03f, 0.05f, 0.11f, 0.26f, 0.28f, 0.17f, 0.05f};
constexpr double kDeadRate = 0.004;
constexpr double kStartDevices = 100;  // what the start is worth
constexpr double kLeastStep = 1.0 / 4000;
constexpr float kLeastShare = 0.002f;

// Four classes at once: the compiler's own vectors, because at -O2 it does not find them in a loop.
using Four = float __attribute__((vector_size(16)));
using FourInts = int32_t __attribute__((vector_size(16)));
constexpr size_t kFours = Mixture::kClasses / 4;

Four load(const Mixture::Shares& from, size_t i) {
  Four v;
  std::memcpy(&v, from.data() + 4 * i, sizeof v);
  return v;
}
void store(Mixture::Shares& to, size_t i, Four v) {
  std::memcpy(to.data() + 4 * i, &v, sizeof v);
}
float sum(Four v) {
  return (v[0] + v[1]) + (v[2] + v[3]);
}
Four larger(Four a, Four b) {
  return a > b ? a : b;
}

// 2^x for x <= 0, to 4 digits.
Four exp2_quick(Four x) {
  x = larger(x, Four{} - 100.0f);
  const FourInts whole = __builtin_convertvector(x, FourInts) - 1;  // rounds towards zero: one below for negative x
  const Four part = x - __builtin_convertvector(whole, Four);       // above 0, at most 1
  const Four y = 1.0f + part * (0.6949f + part * (0.2262f + part * 0.0782f));
  const FourInts bits = (whole + 127) << 23;
  Four scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return y * scale;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace

Mixture::Mixture() : shares_(kStart), built_(kStart) {
  build();
}

const Mixture::Row& Mixture::row(double mean) const {
  const auto i = static_cast<size_t>(std::clamp(mean, 0.0, 0.9999) * kRows);
  return table_[i];
}

void Mixture::posterior(const Row& row, const Shares& shares, float successes, float failures, Shares& out) {
  Four likelihood[kFours];
  for (size_t i = 0; i < kFours; ++i)
    likelihood[i] = successes * load(row.log_success, i) + failures * load(row.log_failure, i);
  const Four most = larger(likelihood[0], likelihood[1]);
  const float top = std::max(std::max(most[0], most[1]), std::max(most[2], most[3]));
  Four all{};
  for (size_t i = 0; i < kFours; ++i) {
    likelihood[i] = load(shares, i) * exp2_quick(likelihood[i] - top);
    all += likelihood[i];
  }
  const float by = 1 / sum(all);
  for (size_t i = 0; i < kFours; ++i) store(out, i, likelihood[i] * by);
}

Mixture::Belief Mixture::believe(double segment_mean, double successes, double failures) const {
  const Row& r = row(segment_mean);
  Belief belief;
  belief.row = &r;
  posterior(r, built_, static_cast<float>(successes), static_cast<float>(failures), belief.shares);
  Four means{}, squares{};
  for (size_t i = 0; i < kFours; ++i) {
    const Four rate = load(r.rate, i), weighted = load(belief.shares, i) * rate;
    means += weighted;
    squares += weighted * rate;
  }
  const double mean = sum(means);
  belief.mean = std::clamp(mean * segment_mean / r.mean, 0.001, 0.999);  // the table's rows are a little apart
  belief.variance = std::max(1e-6, sum(squares) - mean * mean);
  return belief;
}

double Mixture::Belief::upside(double threshold) const {
  const Four level = Four{} + static_cast<float>(threshold);
  Four gain{};
  for (size_t i = 0; i < kFours; ++i) gain += load(shares, i) * larger(load(row->rate, i) - level, Four{});
  return sum(gain);
}

double Mixture::sensitivity(double segment_mean, double successes, double failures) const {
  constexpr double kStep = 0.02;
  const double low = std::max(0.01, segment_mean - kStep), high = std::min(0.99, segment_mean + kStep);
  return (believe(high, successes, failures).mean - believe(low, successes, failures).mean) / (high - low);
}

void Mixture::learn(double segment_mean, double successes, double failures, bool success, double novelty) {
  const Row& r = row(segment_mean);
  Shares before, after;
  posterior(r, shares_, static_cast<float>(successes), static_cast<float>(failures), before);
  float sum = 0;
  for (size_t k = 0; k < kClasses; ++k) {
    after[k] = before[k] * (success ? r.rate[k] : 1 - r.rate[k]);
    sum += after[k];
  }
  devices_ += novelty;
  const auto step = static_cast<float>(std::max(kLeastStep, 1 / (kStartDevices + devices_)));
  float total = 0;
  for (size_t k = 0; k < kClasses; ++k) {
    shares_[k] = std::max(kLeastShare, shares_[k] + step * (after[k] / sum - before[k]));
    total += shares_[k];
  }
  for (float& share : shares_) share /= total;
}

void Mixture::refresh() {
  float change = 0;
  for (size_t k = 0; k < kClasses; ++k) change += std::abs(shares_[k] - built_[k]);
  if (change < 0.01f) return;
  built_ = shares_;
  build();
}

// For every mean: the middle from which the classes' rates average to that mean.
void Mixture::build() {
  table_.resize(kRows);
  double middle = -6;
  for (size_t i = 0; i < kRows; ++i) {
    const double mean = (static_cast<double>(i) + 0.5) / kRows;
    double low = middle, high = 12;  // the middle rises with the mean
    for (int step = 0; step < 24; ++step) {
      middle = (low + high) / 2;
      double average = built_[0] * kDeadRate;
      for (size_t k = 1; k < kClasses; ++k) average += built_[k] * sigmoid(middle + kOffsets[k]);
      (average < mean ? low : high) = middle;
    }
    middle = low;
    Row& r = table_[i];
    for (size_t k = 0; k < kClasses; ++k) {
      const double rate = k == 0 ? kDeadRate : std::clamp(sigmoid(middle + kOffsets[k]), 0.002, 0.995);
      r.rate[k] = static_cast<float>(rate);
      r.log_success[k] = static_cast<float>(std::log2(rate));
      r.log_failure[k] = static_cast<float>(std::log2(1 - rate));
    }
    r.mean = 0;
    for (size_t k = 0; k < kClasses; ++k) r.mean += built_[k] * r.rate[k];
  }
}

void Mixture::save(ByteWriter& out) const {
  for (const Shares* shares : {&shares_, &built_})
    for (const float v : *shares) out.u32(std::bit_cast<uint32_t>(v));
  out.f64(devices_);
}

void Mixture::restore(ByteReader& in) {
  for (Shares* shares : {&shares_, &built_})
    for (float& v : *shares) {
      v = std::bit_cast<float>(in.u32());
      if (!(v > 0 && v <= 1)) return in.fail();
    }
  devices_ = in.f64();
  if (!(devices_ >= 0 && devices_ < 1e15)) return in.fail();
  build();
}

}  // namespace godwit::routing
