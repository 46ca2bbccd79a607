#include "broker/routing/recent.hpp"

#include <algorithm>
#include <cmath>

namespace godwit::routing {

namespace {
constexpr double kSpread = 0.75;      // of the ring are the sends of one soft time-out, at most
constexpr double kSameTime_s = 2e-3;  // a restart rounds to the millisecond
}  // namespace

bool RecentSends::add(const RecentSend& send, double patience_s) {
  if (!sends_.empty() && send.t < newest(0).t + patience_s / (kSpread * kMost)) {
    // Where messages are few, all are kept: the ring is crowded only when its oldest is young.
    if (sends_.size() == kMost && send.t < newest(kMost - 1).t + patience_s / kSpread) return false;
    if (send.t < newest(0).t) return false;
  }
  if (sends_.size() < kMost) {
    if (sends_.empty()) sends_.reserve(kMost);
    sends_.push_back(send);
  } else {
    waiting_ -= sends_[next_].state == RecentSend::waiting;
    sends_[next_] = send;
    next_ = (next_ + 1) % kMost;
  }
  waiting_ += send.state == RecentSend::waiting;
  return true;
}

RecentSend* RecentSends::find(DeviceNo device, double t) {
  size_t low = 0, high = size();  // newest(low - 1) was sent after t
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (newest(middle).t > t + kSameTime_s) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (; low < size() && newest(low).t >= t - kSameTime_s; ++low)
    if (newest(low).device == device) return &newest(low);
  return nullptr;
}

RecentSends::Said RecentSends::settle(DeviceNo device, double t, RecentSend::State state) {
  RecentSend* send = find(device, t);
  if (send == nullptr) return {};
  waiting_ -= send->state == RecentSend::waiting;
  waiting_ += state == RecentSend::waiting;
  send->state = state;
  const Said said{send->said > 0 ? send->said_at : -1, send->said};
  send->said = 0;
  return said;
}

void RecentSends::save(ByteWriter& out) const {
  out.varint(size());
  for (size_t i = 0; i < size(); ++i) {
    const RecentSend& s = sends_[(next_ + i) % size()];
    for (const double v : {s.t, s.said_at, double{s.expected}, double{s.said}}) out.f64(v);
    out.u32(s.device);
    for (const uint16_t v : {s.maker, s.maker_os, s.region}) out.varint(v);
    out.u8(s.state);
  }
}

void RecentSends::restore(ByteReader& in, const Profiles& profiles) {
  *this = {};
  const uint64_t count = in.varint();
  if (count > kMost) return in.fail();
  double last = 0;
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    RecentSend s;
    s.t = in.f64(), s.said_at = in.f64();
    const double expected = in.f64(), said = in.f64();
    s.device = in.u32();
    const uint64_t maker = in.varint(), maker_os = in.varint(), region = in.varint();
    const uint8_t state = in.u8();
    if (!(s.t >= last && s.t < 1e15 && s.said_at >= 0 && s.said_at < 1e15 && expected >= 0 && expected <= 1 &&
          said >= 0 && said <= 1) ||
        maker >= profiles.makers().size() || maker_os >= profiles.maker_oses() || region >= profiles.regions().size() ||
        state > RecentSend::gone)
      return in.fail();
    last = s.t;
    s.expected = static_cast<float>(expected), s.said = static_cast<float>(said);
    s.maker = static_cast<uint16_t>(maker), s.maker_os = static_cast<uint16_t>(maker_os);
    s.region = static_cast<uint16_t>(region);
    s.state = static_cast<RecentSend::State>(state);
    sends_.reserve(kMost);
    sends_.push_back(s);
    waiting_ += s.state == RecentSend::waiting;
  }
}

}  // namespace godwit::routing
