// Health: notices that a channel delivers less than it did, for everybody or for a part of the fleet, and how much is
// left; and notices when that is over.
//
// A cell is a channel for everybody, for a manufacturer, for a manufacturer's OS level, or for a region. Each runs a
// sequential test (CUSUM) of every settled attempt against the chance that was expected of it, so a cell that is
// expected to deliver 40 % and does is healthy. So that a sudden outage need not wait for silences to be complete, the
// latest sends are also looked at twice a second while they wait (look.cpp). A tripped cell is alarmed: its health h <
// 1 multiplies the rates, and a second test waits for the recovery. Alarmed cells ask for a probe when no natural
// traffic passes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/routing/decay.hpp"
#include "broker/routing/histogram.hpp"
#include "broker/routing/profiles.hpp"
#include "broker/routing/recent.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

struct HealthCell {
  // The test for a fall, while healthy.
  // Log likelihood ratio of "halved" against "as expected". Below 0 it is a credit that fades: of a burst the receipts
  // come first and the silences all at once, so successes must still count when the silences of their burst arrive.
  double suspicion = 0;
  double despair = 0;  // the same of "next to nothing", which a total outage raises faster
  // Devices that failed to answer since then. One that is away or whose token died fails again and again, so each is
  // heard once: it takes several phones to accuse a channel.
  std::array<uint32_t, 16> witnesses{};  // device + 1, the latest ones
  uint32_t heard = 0;
  // Since suspicion, or despair, left 0: only data after the change. A total outage may find a cell that suspects a
  // little already, so the older of both must not tell how much is left.
  double since_successes = 0, since_expected = 0;
  double fallen_successes = 0, fallen_expected = 0;
  double suspected_before = 0;  // suspicion when despair left 0
  double judged_at = 0;
  double accused_until = 0;  // a part of it has just tripped: the rest needs little to follow
  Decayed events;            // attempts judged, half-life a day: what sets the threshold
  // While alarmed; despair then is that of "next to nothing of what is left".
  bool alarmed = false;
  double health = 1;
  Decayed successes, expected;                  // half-life 15 minutes
  Decayed lasting_successes, lasting_expected;  // the same, but no run of failures makes them forget
  // Log likelihood ratio of "as expected" against "as sick as when this left 0", with what was counted since then; and
  // of the same against half of it, because what is better need not be well.
  double recovery = 0, wellness = 0;
  double sick = 0, risen_successes = 0, risen_expected = 0;
  double alarmed_at = 0;
  double quiet_until = 0;    // what was sent through this cell tells enough until then
  uint32_t passed_over = 0;  // decisions since the last such send that could have used it

  // Of one look at the latest sends, from the newest back: log likelihood ratio of "next to nothing arrives", the
  // highest that it was, where, and what was counted until there.
  struct Scan {
    uint64_t look = 0;
    double sum = 0, most = 0;
    double successes = 0, expected = 0, most_successes = 0, most_expected = 0;
    size_t at = 0;
  } scan;
};

enum class CellScope : uint8_t { channel, maker, maker_os, region };

class Health {
 public:
  static constexpr double kNothing = 0.05;      // "next to nothing"
  static constexpr double kMostExpected = 0.9;  // the surest devices are a little less sure than they look: two
                                                // silences of them must not be an outage
  static constexpr double kLeastThreshold = 7, kMostThreshold = 16;
  static constexpr double kLeastHealth = 0.02, kLeastSick = 0.08, kMostSick = 0.7;
  static constexpr double kRemembered_s = 900;  // half-life of what tells how much is left
  static constexpr double kLeft = 0.5;          // a channel below this is left already and need not be accused of more

  void set_shape(size_t channels, const Profiles& profiles);

  // Share of the expected deliveries that still arrive; 1 unless an alarm covers this device.
  double factor(ChannelNo channel, const Profile& profile) const {
    return channels_[channel].alarms == 0 ? 1 : product(channel, profile);
  }
  bool any_alarm(ChannelNo channel) const { return channels_[channel].alarms != 0; }

  // An attempt whose receipt would come back: with what chance is it expected to, before `patience_s` are over (after
  // which silence counts on this channel), and without health?
  struct Sent {
    DeviceNo device = 0;
    double expected = 0;
    double t = 0;
  };
  void sent(ChannelNo channel, const Profile& profile, const Sent& attempt, double patience_s);
  // It settled: did it arrive?
  void judge(ChannelNo channel, const Profile& profile, const Sent& attempt, bool success, double patience_s, double t);
  // It says nothing after all, or it arrived after it had been judged.
  void withdraw(ChannelNo channel, const Profile& profile, const Sent& attempt, bool arrived, double t);
  // Weighs the silence of the sends that still wait.
  void look(ChannelNo channel, const LogHistogram& receipt_delays, double patience_s, double t);

  // Probes. `loss`: how much the first send loses by using this channel; `chance`: that it would have its receipt if
  // the channel were well, which is what it can tell. `passed_over` says that it was not used.
  bool wants_probe(ChannelNo channel, const Profile& profile, double loss, double chance, double t) const;
  void passed_over(ChannelNo channel, const Profile& profile);
  void first_sent(ChannelNo channel, const Profile& profile, double chance, double t);

  // The receipts were lost, not the messages: every alarm of the channel was wrong.
  void clear(ChannelNo channel);

  struct Alarmed {
    ChannelNo channel;
    CellScope scope;
    uint16_t maker, os, region;
    const HealthCell* cell;
  };
  std::vector<Alarmed> alarms(const Profiles& profiles) const;
  uint64_t trips(ChannelNo channel) const { return channels_[channel].trips; }
  uint64_t trips() const;
  size_t cells() const;

  void save(ByteWriter& out, size_t channels) const;
  void restore(ByteReader& in, const std::vector<ChannelNo>& channel_of, const Profiles& profiles);

 private:
  struct PerChannel {
    uint32_t alarms = 0;
    uint64_t trips = 0;
    RecentSends recent;
    Decayed looks, frights;  // how often waiting sends were looked at, and looked lost
    HealthCell all;
    std::vector<HealthCell> makers, maker_oses, regions;
  };
  template <class Self, class F>
  static void for_each_cover(Self& channel, const Profile& profile, F f);
  template <class Self, class F>
  static void for_each_cell(Self& channel, F f);
  double product(ChannelNo channel, const Profile& profile) const;
  // Cells that cover an attempt, by their place in a cover; each lies in a wider one.
  enum Place : size_t { kAll, kMaker, kMakerOs, kRegion };
  using Cover = std::array<HealthCell*, 4>;
  static size_t wider_of(size_t place) { return place == kMakerOs ? kMaker : kAll; }
  static double threshold(const HealthCell& cell, double t);
  static bool suspect(HealthCell& cell, DeviceNo device, bool success, double p, double patience_s, double t);
  template <class F>
  static size_t widened(const Cover& cover, size_t at, F evidence);
  static void trip(PerChannel& channel, const Cover& cover, size_t at, double t);
  // `at` is alarmed, with these outcomes since the fall.
  static void raise(PerChannel& channel, const Cover& cover, size_t at, double successes, double expected, double t);
  // `unsaid`: the share of the expectation that has not been counted yet.
  void judge_alarmed(PerChannel& channel, HealthCell& cell, bool success, double p, double unsaid, double t);
  Cover cover_of(PerChannel& channel, const RecentSend& send);
  const HealthCell* scan(PerChannel& channel, const LogHistogram& receipt_delays, double patience_s, double t);

  std::vector<PerChannel> channels_ = std::vector<PerChannel>(kMaxChannels);
  uint64_t look_ = 0;
};

template <class Self, class F>
void Health::for_each_cover(Self& channel, const Profile& profile, F f) {
  f(channel.all);
  f(channel.makers[profile.maker]);
  f(channel.maker_oses[profile.maker_os]);
  f(channel.regions[profile.region]);
}

template <class Self, class F>
void Health::for_each_cell(Self& channel, F f) {
  f(channel.all);
  for (auto* cells : {&channel.makers, &channel.maker_oses, &channel.regions})
    for (auto& cell : *cells) f(cell);
}

template <class F>
size_t Health::widened(const Cover& cover, size_t at, F evidence) {
  constexpr double kElsewhere = 2;  // nats that a wider cell must have seen beyond the one that trips
  // Perhaps it only was the first of many: the wider cell is sick if what it saw elsewhere says so too.
  for (size_t wider = wider_of(at); wider != at; wider = wider_of(wider)) {
    if (!cover[wider]->alarmed && evidence(*cover[wider]) - evidence(*cover[at]) >= kElsewhere) at = wider;
    if (wider == kAll) break;
  }
  return at;
}

}  // namespace godwit::routing
