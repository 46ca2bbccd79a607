// Health over a restart: an alarm that stood still stands, and the tests go on where they were.
#include <algorithm>
#include <array>
#include <cmath>

#include "broker/routing/health.hpp"

namespace godwit::routing {

namespace {

// What is written of a cell, in this order, and read back: none of these is ever negative.
template <class Cell>
auto amounts_of(Cell& cell) {
  return std::array{&cell.judged_at,
                    &cell.since_successes,
                    &cell.since_expected,
                    &cell.fallen_successes,
                    &cell.fallen_expected,
                    &cell.suspected_before,
                    &cell.accused_until,
                    &cell.events.sum,
                    &cell.events.at,
                    &cell.health,
                    &cell.successes.sum,
                    &cell.successes.at,
                    &cell.expected.sum,
                    &cell.expected.at,
                    &cell.lasting_successes.sum,
                    &cell.lasting_successes.at,
                    &cell.lasting_expected.sum,
                    &cell.lasting_expected.at,
                    &cell.recovery,
                    &cell.sick,
                    &cell.risen_successes,
                    &cell.risen_expected,
                    &cell.alarmed_at,
                    &cell.quiet_until};
}

// Then these, in nats, of either sign.
template <class Cell>
auto evidence_of(Cell& cell) {
  return std::array{&cell.suspicion, &cell.despair, &cell.wellness};
}

}  // namespace

void Health::save(ByteWriter& out, size_t channels) const {
  for (size_t c = 0; c < channels; ++c) {
    size_t count = 0;
    for_each_cell(channels_[c], [&count](const HealthCell&) { ++count; });
    out.varint(channels_[c].trips);
    channels_[c].recent.save(out);
    for (const Decayed& d : {channels_[c].looks, channels_[c].frights}) out.f64(d.sum), out.f64(d.at);
    out.varint(count);
    for_each_cell(channels_[c], [&out](const HealthCell& cell) {
      for (const double* v : amounts_of(cell)) out.f64(*v);
      for (const double* v : evidence_of(cell)) out.f64(*v);
      out.u8(cell.alarmed ? 1 : 0);
      out.u32(cell.passed_over);
      out.u32(cell.heard);
      for (size_t i = 0; i < std::min<size_t>(cell.heard, cell.witnesses.size()); ++i) out.u32(cell.witnesses[i]);
    });
  }
}

void Health::restore(ByteReader& in, const std::vector<ChannelNo>& channel_of, const Profiles& profiles) {
  for (const ChannelNo c : channel_of) {
    PerChannel& channel = channels_[c];
    size_t count = 0;
    for_each_cell(channel, [&count](const HealthCell&) { ++count; });
    channel.trips = in.varint();
    channel.recent.restore(in, profiles);
    for (Decayed* d : {&channel.looks, &channel.frights}) {
      d->sum = in.f64(), d->at = in.f64();
      if (!(d->sum >= 0 && d->sum < 1e15 && d->at >= 0 && d->at < 1e15)) in.fail();
    }
    if (in.varint() != count) return in.fail();
    channel.alarms = 0;
    for_each_cell(channel, [&](HealthCell& cell) {
      for (double* v : amounts_of(cell)) {
        *v = in.f64();
        if (!(*v >= 0 && *v < 1e15)) in.fail();
      }
      for (double* v : evidence_of(cell)) {
        *v = in.f64();
        if (!(std::abs(*v) < 1e15)) in.fail();
      }
      if (cell.recovery > 0 && !(cell.sick >= kLeastSick && cell.sick <= kMostSick)) in.fail();
      if (!(cell.health >= kLeastHealth && cell.health <= 1)) in.fail();
      cell.alarmed = in.u8() != 0;
      cell.passed_over = in.u32();
      cell.heard = in.u32();
      for (size_t i = 0; i < std::min<size_t>(cell.heard, cell.witnesses.size()); ++i) cell.witnesses[i] = in.u32();
      channel.alarms += cell.alarmed;
    });
    if (in.failed()) return;
  }
}

}  // namespace godwit::routing
