#include "broker/routing/levels.hpp"

#include <cmath>

namespace godwit::routing {

namespace {

void widen(std::vector<Pool>& pools, size_t count, size_t old_stride, size_t stride, size_t new_count) {
  std::vector<Pool> wide(new_count * stride);
  for (size_t i = 0; i < count; ++i)
    for (size_t c = 0; c < old_stride; ++c) wide[i * stride + c] = pools[i * old_stride + c];
  pools = std::move(wide);
}

void write(ByteWriter& out, const Pool& pool) {
  out.f64(pool.successes);
  out.f64(pool.trials);
}

Pool read(ByteReader& in) {
  Pool pool;
  pool.successes = in.f64();
  pool.trials = in.f64();
  if (!std::isfinite(pool.trials) || !std::isfinite(pool.successes) || pool.trials < 0) in.fail();
  return in.failed() ? Pool{} : pool;
}

}  // namespace

void Levels::set_shape(size_t channels, size_t makers, size_t segments) {
  const size_t stride = (channels + 3) / 4 * 4;
  if (stride > stride_) {
    widen(makers_, maker_count_, stride_, stride, std::max(makers, maker_count_));
    widen(segments_, segment_count_, stride_, stride, std::max(segments, segment_count_));
    stride_ = stride;
  }
  maker_count_ = std::max(maker_count_, makers);
  segment_count_ = std::max(segment_count_, segments);
  makers_.resize(maker_count_ * stride_);
  segments_.resize(segment_count_ * stride_);
}

double Levels::segment_strength(ChannelNo channel, double inverse, std::span<const uint16_t> maker_of_segment,
                                double old) const {
  constexpr double kLeastTrials = 30, kLeast = 5, kMost = 400;
  struct PerMaker {
    double spread = 0, trials = 0, segments = 0;
  };
  std::vector<PerMaker> makers(maker_count_);
  for (size_t i = 0; i < maker_of_segment.size() && i < segment_count_; ++i) {
    const Pool& s = segments_[i * stride_ + channel];
    const Pool& m = this->maker(channel, maker_of_segment[i]);
    const double n = s.trials * inverse;
    if (n < 5 || m.trials <= 0) continue;
    const double away = s.successes / s.trials - m.successes / m.trials;
    PerMaker& maker = makers[maker_of_segment[i]];
    maker.spread += n * away * away;
    maker.trials += n;
    maker.segments += 1;
  }
  double share = 0, weight = 0;  // of the variance p (1 - p) that lies between segments
  for (size_t k = 0; k < maker_count_; ++k) {
    const PerMaker& maker = makers[k];
    if (maker.segments < 2 || maker.trials < kLeastTrials) continue;
    const Pool& m = this->maker(channel, static_cast<uint16_t>(k));
    const double mean = m.successes / m.trials, v = std::max(1e-3, mean * (1 - mean));
    share += maker.trials * std::max(0.0, (maker.spread - (maker.segments - 1) * v) / maker.trials / v);
    weight += maker.trials;
  }
  if (weight < kLeastTrials) return old;
  share /= weight;
  return share <= 1 / (kMost + 1) ? kMost : std::clamp(1 / share - 1, kLeast, kMost);
}

void Levels::scale(double factor) {
  const auto by = [factor](auto& pools) {
    for (Pool& pool : pools) pool.successes *= factor, pool.trials *= factor;
  };
  by(fleet_), by(makers_), by(segments_);
}

void Levels::save(ByteWriter& out, size_t channels) const {
  out.varint(maker_count_);
  out.varint(segment_count_);
  for (ChannelNo c = 0; c < channels; ++c) {
    write(out, fleet_[c]);
    for (size_t i = 0; i < maker_count_; ++i) write(out, makers_[i * stride_ + c]);
    for (size_t i = 0; i < segment_count_; ++i) write(out, segments_[i * stride_ + c]);
  }
}

void Levels::restore(ByteReader& in, const std::vector<ChannelNo>& channel_of, bool same_segments) {
  const uint64_t makers = in.varint(), segments = in.varint();
  if (makers > maker_count_ || (same_segments && segments > segment_count_)) return in.fail();
  for (const ChannelNo c : channel_of) {
    fleet_[c] = read(in);
    for (size_t i = 0; i < makers && !in.failed(); ++i) makers_[i * stride_ + c] = read(in);
    for (size_t i = 0; i < segments && !in.failed(); ++i) {
      const Pool segment = read(in);
      if (same_segments) segments_[i * stride_ + c] = segment;
    }
  }
}

}  // namespace godwit::routing
