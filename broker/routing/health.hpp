// Health: notices that a channel delivers less than it did, for everybody or for a part of the fleet, and how much is
// left; and notices when that is over.
//
// A cell is a channel for everybody, for a manufacturer, for a manufacturer's OS level, or for a region. Each runs a
// sequential test (CUSUM) of every settled attempt against the chance that was expected of it, so a cell that is
// expected to deliver 40 % and does is healthy. A tripped cell is alarmed: its health h < 1 multiplies the rates, and a
// second test waits for the recovery. Alarmed cells ask for a probe when no natural traffic passes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/routing/decay.hpp"
#include "broker/routing/profiles.hpp"
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
  Decayed events;  // attempts judged, half-life a day: what sets the threshold
  // While alarmed; despair then is that of "next to nothing of what is left".
  bool alarmed = false;
  double health = 1;
  Decayed successes, expected;  // half-life 15 minutes
  double recovery = 0;          // log likelihood ratio of "as expected" against "as sick as now"
  double alarmed_at = 0;
  double last_first = 0;     // the last first send through this cell
  uint32_t passed_over = 0;  // decisions since then that could have used it
};

enum class CellScope : uint8_t { channel, maker, maker_os, region };

class Health {
 public:
  void set_shape(size_t channels, const Profiles& profiles);

  // Share of the expected deliveries that still arrive; 1 unless an alarm covers this device.
  double factor(ChannelNo channel, const Profile& profile) const {
    return channels_[channel].alarms == 0 ? 1 : product(channel, profile);
  }
  bool any_alarm(ChannelNo channel) const { return channels_[channel].alarms != 0; }

  // A settled attempt: did it arrive, and with what chance was it expected to (without health)?
  // `patience_s`: after how long silence counts on this channel.
  void judge(ChannelNo channel, const Profile& profile, DeviceNo device, bool success, double expected,
             double patience_s, double t);

  // Probes. `loss`: how much the first send loses by using this channel; `passed_over` says that it was not used.
  bool wants_probe(ChannelNo channel, const Profile& profile, double loss, double t) const;
  void passed_over(ChannelNo channel, const Profile& profile);
  void first_sent(ChannelNo channel, const Profile& profile, double t);

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
  void restore(ByteReader& in, const std::vector<ChannelNo>& channel_of);

 private:
  struct PerChannel {
    uint32_t alarms = 0;
    uint64_t trips = 0;
    HealthCell all;
    std::vector<HealthCell> makers, maker_oses, regions;
  };
  template <class Self, class F>
  static void for_each_cover(Self& channel, const Profile& profile, F f);
  template <class Self, class F>
  static void for_each_cell(Self& channel, F f);
  double product(ChannelNo channel, const Profile& profile) const;
  using Cover = std::array<HealthCell*, 4>;
  static bool suspect(HealthCell& cell, DeviceNo device, bool success, double p, double patience_s, double t);
  static void trip(PerChannel& channel, const Cover& cover, size_t at, double t);
  void judge_alarmed(PerChannel& channel, HealthCell& cell, bool success, double p, double t);

  std::vector<PerChannel> channels_ = std::vector<PerChannel>(kMaxChannels);
};

}  // namespace godwit::routing
