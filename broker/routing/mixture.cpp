#include "broker/routing/mixture.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace godwit::routing {

namespace {

// Offsets from the middle of a segment in log odds; the first class is dead: it never answers, whatever the segment.
constexpr std::array<double, Mixture::kClasses> kOffsets{0, -3.2, -2.0, -1.0, -0.3, 0.3, 0.9, 1.8};
constexpr Mixture::Shares kStart{0.05f, 0.03f, 0.05f, 0.11f, 0.26f, 0.28f, 0.17f, 0.05f};
constexpr double kDeadRate = 0.004;
constexpr double kStartDevices = 100;  // what the start is worth
constexpr double kLeastStep = 1.0 / 4000;
constexpr float kLeastShare = 0.002f;

// 2^x for x <= 0, to 4 digits; the compiler turns the loop over the classes into vector code.
inline float exp2_quick(float x) {
  x = x < -100.0f ? -100.0f : x;
  const auto whole = static_cast<int32_t>(x) - 1;    // rounds towards zero: one below for negative x
  const float part = x - static_cast<float>(whole);  // above 0, at most 1
  const float y = 1.0f + part * (0.6949f + part * (0.2262f + part * 0.0782f));
  return y * std::bit_cast<float>((whole + 127) << 23);
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

void Mixture::posterior(const Row& row, const Shares& shares, float successes, float failures, float* out) {
  float most = -1e30f;
  for (size_t k = 0; k < kClasses; ++k) {
    out[k] = successes * row.log_success[k] + failures * row.log_failure[k];
    most = std::max(most, out[k]);
  }
  float sum = 0;
  for (size_t k = 0; k < kClasses; ++k) {
    out[k] = shares[k] * exp2_quick(out[k] - most);
    sum += out[k];
  }
  const float by = 1 / sum;
  for (size_t k = 0; k < kClasses; ++k) out[k] *= by;
}

DeviceRate Mixture::rate(double segment_mean, double successes, double failures) const {
  const Row& r = row(segment_mean);
  float p[kClasses];
  posterior(r, built_, static_cast<float>(successes), static_cast<float>(failures), p);
  float mean = 0, square = 0, prior = 0;
  for (size_t k = 0; k < kClasses; ++k) {
    mean += p[k] * r.rate[k];
    square += p[k] * r.rate[k] * r.rate[k];
    prior += built_[k] * r.rate[k];
  }
  const double scale = segment_mean / prior;  // the table's rows are a little apart
  return {std::clamp(mean * scale, 0.001, 0.999), std::max(1e-6, static_cast<double>(square - mean * mean))};
}

double Mixture::sensitivity(double segment_mean, double successes, double failures) const {
  constexpr double kStep = 0.02;
  const double low = std::max(0.01, segment_mean - kStep), high = std::min(0.99, segment_mean + kStep);
  return (rate(high, successes, failures).mean - rate(low, successes, failures).mean) / (high - low);
}

double Mixture::upside(double segment_mean, double successes, double failures, double threshold) const {
  const Row& r = row(segment_mean);
  float p[kClasses];
  posterior(r, built_, static_cast<float>(successes), static_cast<float>(failures), p);
  float gain = 0;
  const auto level = static_cast<float>(threshold);
  for (size_t k = 0; k < kClasses; ++k) gain += p[k] * std::max(0.0f, r.rate[k] - level);
  return gain;
}

void Mixture::learn(double segment_mean, double successes, double failures, bool success, double novelty) {
  const Row& r = row(segment_mean);
  float before[kClasses], after[kClasses];
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
