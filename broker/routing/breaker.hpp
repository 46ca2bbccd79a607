// Breaker: stops sending on a channel whose vendor answers with errors of its own (connection refused, 5xx, bad
// credentials), and lets single messages through to see whether that is over. It judges explicit answers only; silence
// is the business of the health cells.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "broker/base/bytes.hpp"

namespace godwit::routing {

class Breaker {
 public:
  bool is_open(double t) const { return t < open_until_; }
  double left_s(double t) const { return std::max(0.0, open_until_ - t); }

  // A message goes out. While half open, the next one has to wait for this one's answer (or a while).
  void sent(double t) {
    if (trips_ > 0 && !is_open(t)) open_until_ = t + kAnswerWait_s;
  }

  void good(double) {
    push(false);
    if (trips_ > 0) *this = Breaker();
  }

  void bad(double t) {
    push(true);
    const bool half_open = trips_ > 0;
    const bool many = count_ >= kWindow && std::popcount(recent_) * 2 > static_cast<int>(kWindow);
    if (!half_open && !many && (recent_ & kLastFive) != kLastFive) return;
    open_until_ = t + std::min(kLongest_s, kFirst_s * static_cast<double>(1u << std::min(trips_, 10u)));
    ++trips_;
    recent_ = 0, count_ = 0;
  }

  void save(ByteWriter& out) const {
    out.u32(recent_);
    out.u32(count_);
    out.u32(trips_);
    out.f64(open_until_);
  }
  void restore(ByteReader& in) {
    recent_ = in.u32();
    count_ = in.u32();
    trips_ = in.u32();
    open_until_ = in.f64();
    if (!(open_until_ >= 0 && open_until_ < 1e12)) in.fail();
  }

 private:
  static constexpr uint32_t kWindow = 20, kWindowMask = (1u << kWindow) - 1, kLastFive = 31;
  static constexpr double kFirst_s = 30, kLongest_s = 600, kAnswerWait_s = 10;

  void push(bool bad) {
    recent_ = ((recent_ << 1) | (bad ? 1u : 0u)) & kWindowMask;
    count_ = std::min(count_ + 1, kWindow);
  }

  uint32_t recent_ = 0;  // the last 20 answers, newest in bit 0, 1 = error
  uint32_t count_ = 0;
  uint32_t trips_ = 0;  // in a row, without a good answer between
  double open_until_ = 0;
};

}  // namespace godwit::routing
