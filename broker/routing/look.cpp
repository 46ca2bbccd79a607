// What the latest sends of a channel say while they still wait: silence of some age, against the delays of receipts.
//
// A send that waits for so long with chance p of a receipt by now says ln((1 - kNothing p) / (1 - p)) for "next to
// nothing arrives"; one that arrived says ln(kNothing) against it. Summed from the newest send back, the highest sum is
// the likelihood ratio of a fall just after which these were sent. It is computed anew at each look, so what a silence
// said early is replaced by what it says later, and a receipt takes it back.
#include <algorithm>
#include <boost/container/static_vector.hpp>
#include <cmath>

#include "broker/routing/health.hpp"

namespace godwit::routing {

namespace {

constexpr double kWindow = 8;     // soft time-outs; what is older has been judged
constexpr double kForgotten = 2;  // a send that waits for so many has been forgotten by its owner
constexpr double kLeastEvidence = 2;
constexpr double kTooYoung = 0.02;
// Receipts that come in batches leave many sends waiting at once, which looks like a fall again and again. The ratio of
// a fixed window passes e^3 once in twenty looks at most if delays are independent.
constexpr double kFright = 3, kMostFrights = 0.1;
constexpr double kMemory_s = 6 * 3600, kPriorLooks = 100, kPriorFrights = 20;

}  // namespace

void Health::sent(ChannelNo channel, const Profile& profile, const Sent& attempt, double patience_s) {
  RecentSend send;
  send.t = attempt.t;
  send.device = attempt.device;
  send.maker = profile.maker, send.maker_os = profile.maker_os, send.region = profile.region;
  send.expected = static_cast<float>(std::clamp(attempt.expected, 0.001, kMostExpected));
  channels_[channel].recent.add(send, patience_s);
}

void Health::withdraw(ChannelNo number, const Profile& profile, const Sent& attempt, bool arrived, double t) {
  PerChannel& channel = channels_[number];
  const RecentSends::Said said =  // not taken apart: clang 14 captures no structured bindings
      channel.recent.settle(attempt.device, attempt.t, arrived ? RecentSend::arrived : RecentSend::gone);
  if (said.share == 0) return;
  for_each_cover(channel, profile, [&](HealthCell& cell) {
    if (!cell.alarmed || cell.alarmed_at != said.at) return;
    for (Decayed* expected : {&cell.expected, &cell.lasting_expected})
      expected->add(t, kRemembered_s, -std::min(said.share * attempt.expected, expected->read(t, kRemembered_s)));
  });
}

Health::Cover Health::cover_of(PerChannel& channel, const RecentSend& send) {
  return {&channel.all, &channel.makers[send.maker], &channel.maker_oses[send.maker_os], &channel.regions[send.region]};
}

// The widest cell that should trip, or null.
const HealthCell* Health::scan(PerChannel& channel, const LogHistogram& receipt_delays, double patience_s, double t) {
  const double whole = receipt_delays.share_below(LogHistogram::position(patience_s));
  boost::container::static_vector<DeviceNo, RecentSends::kMost> unanswered;
  double most = 0;
  ++look_;
  for (size_t i = 0; i < channel.recent.size(); ++i) {
    const RecentSend& send = channel.recent.newest(i);
    const double age = std::max(0.0, t - send.t);
    if (age > kWindow * patience_s) break;
    double share = 1;
    if (send.state == RecentSend::gone) continue;
    if (send.state == RecentSend::waiting) {
      if (age > kForgotten * patience_s) continue;
      share = std::min(1.0, receipt_delays.share_below(LogHistogram::position(age)) / whole);
      if (share < kTooYoung) continue;
    }
    const Cover cover = cover_of(channel, send);
    double left = 1;
    if (channel.alarms > 0)
      for (const HealthCell* cell : cover) left *= cell->alarmed ? cell->health : 1;
    if (left < kLeft) continue;
    const bool arrived = send.state == RecentSend::arrived;
    if (!arrived) {
      if (std::find(unanswered.begin(), unanswered.end(), send.device) != unanswered.end()) continue;
      unanswered.push_back(send.device);
    }
    const double p = send.expected * share * left;
    const double nats = std::log(arrived ? kNothing : (1 - kNothing * p) / (1 - p));
    for (HealthCell* cell : cover) {
      HealthCell::Scan& scan = cell->scan;
      if (scan.look != look_) scan = {.look = look_};
      scan.sum += nats;
      scan.successes += arrived;
      scan.expected += p;
      if (scan.sum <= scan.most) continue;
      scan.most = scan.sum, scan.most_successes = scan.successes, scan.most_expected = scan.expected;
      scan.at = i;
      most = std::max(most, scan.most);
    }
  }
  channel.looks.add(t, kMemory_s, 1);
  if (channel.all.scan.look == look_ && channel.all.scan.most > kFright) channel.frights.add(t, kMemory_s, 1);
  if (most < kLeastEvidence) return nullptr;
  const double frights = kPriorFrights + channel.frights.read(t, kMemory_s);
  if (frights > kMostFrights * (kPriorLooks + channel.looks.read(t, kMemory_s))) return nullptr;
  const HealthCell* tripped = nullptr;
  size_t place = kRegion + 1;
  for (size_t i = 0; i < channel.recent.size() && place > kAll; ++i) {
    const Cover cover = cover_of(channel, channel.recent.newest(i));
    for (size_t k = kAll; k < place; ++k) {
      const HealthCell& cell = *cover[k];
      if (cell.alarmed || cell.scan.look != look_ || cell.scan.most <= threshold(cell, t)) continue;
      tripped = &cell;
      place = k;
    }
  }
  return tripped;
}

void Health::look(ChannelNo number, const LogHistogram& receipt_delays, double patience_s, double t) {
  PerChannel& channel = channels_[number];
  if (!channel.recent.any_waiting()) return;
  const HealthCell* tripped = scan(channel, receipt_delays, patience_s, t);
  if (tripped == nullptr) return;
  const Cover cover = cover_of(channel, channel.recent.newest(tripped->scan.at));
  const auto found = static_cast<size_t>(std::find(cover.begin(), cover.end(), tripped) - cover.begin());
  const size_t at =
      widened(cover, found, [this](const HealthCell& cell) { return cell.scan.look == look_ ? cell.scan.most : 0.0; });
  const HealthCell::Scan seen = cover[at]->scan;
  raise(channel, cover, at, seen.most_successes, seen.most_expected, t);
  const double whole = receipt_delays.share_below(LogHistogram::position(patience_s));
  for (size_t i = 0; i <= seen.at; ++i) {
    RecentSend& send = channel.recent.newest(i);
    if (send.state != RecentSend::waiting || cover_of(channel, send)[at] != cover[at]) continue;
    send.said = static_cast<float>(
        std::min(1.0, receipt_delays.share_below(LogHistogram::position(std::max(0.0, t - send.t))) / whole));
    send.said_at = t;
  }
}

}  // namespace godwit::routing
