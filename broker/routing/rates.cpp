#include "broker/routing/rates.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "broker/routing/interval.hpp"

namespace godwit::routing {

namespace {

constexpr double kFirstDelay_s = 1.0 / 64;

uint64_t key_of(ChannelNo channel, uint16_t maker, uint16_t os, uint16_t app) {
  return static_cast<uint64_t>(channel) << 48 | static_cast<uint64_t>(maker) << 32 | static_cast<uint64_t>(os) << 16 |
         app;
}

ChannelNo channel_of_key(uint64_t key) {
  return static_cast<ChannelNo>(key >> 48);
}

size_t delay_bucket(double delay_s) {
  const double octave = std::log2(std::max(delay_s, kFirstDelay_s) / kFirstDelay_s);
  return std::min<size_t>(std::tuple_size_v<decltype(RateCell::delays)> - 1, static_cast<size_t>(octave));
}

double median_s(const RateCell& cell) {
  double total = 0;
  for (const uint32_t n : cell.delays) total += n;
  if (total == 0) return 0;
  double below = 0;
  for (size_t i = 0; i < cell.delays.size(); ++i) {
    const double n = cell.delays[i];
    if (below + n >= total / 2)
      return kFirstDelay_s * std::exp2(static_cast<double>(i) + (total / 2 - below) / std::max(n, 1.0));
    below += n;
  }
  return kFirstDelay_s * std::exp2(static_cast<double>(cell.delays.size()));
}

void bump(RateCell& cell, RateEvent event, double delay_s) {
  switch (event) {
    case RateEvent::sent:
      ++cell.sent;
      return;
    case RateEvent::accepted:
      ++cell.accepted;
      return;
    case RateEvent::settled:
      ++cell.settled;
      return;
    case RateEvent::opened:
      ++cell.opened;
      return;
    case RateEvent::vendor:
      ++cell.vendor;
      break;
    case RateEvent::device:
      ++cell.device;
      break;
  }
  ++cell.delays[delay_bucket(delay_s)];
}

}  // namespace

void RateCell::add(const RateCell& other) {
  sent += other.sent;
  accepted += other.accepted;
  settled += other.settled;
  vendor += other.vendor;
  device += other.device;
  opened += other.opened;
  figures_of += other.figures_of;
  figures += other.figures;
  for (size_t i = 0; i < delays.size(); ++i) delays[i] += other.delays[i];
}

RateCell* RateBook::Ring::cell(uint64_t key, WallMs at) {
  const int64_t number = at / period_ms;
  if (at < 0) return nullptr;
  Bucket& bucket = buckets[static_cast<size_t>(number) % buckets.size()];
  if (bucket.number > number) return nullptr;  // older than the book
  if (bucket.number < number) {
    bucket.number = number;
    bucket.cells.clear();
  }
  if (const auto found = bucket.cells.find(key); found != bucket.cells.end()) return &found->second;
  if (bucket.cells.size() >= kMaxCells) key = key_of(channel_of_key(key), 0, 0, 0);
  return &bucket.cells[key];
}

void RateBook::count(ChannelNo channel, const Profile& profile, WallMs sent_ms, RateEvent event, double delay_s) {
  const uint64_t key = key_of(channel, profile.maker, profile.os, profile.app);
  for (Ring* ring : {&minutes_, &hours_})
    if (RateCell* cell = ring->cell(key, sent_ms)) bump(*cell, event, delay_s);
}

void RateBook::add_figures(ChannelNo channel, const Profile& profile, WallMs sent_ms, const VendorFigures& told) {
  const uint64_t key = key_of(channel, profile.maker, profile.os, profile.app);
  for (Ring* ring : {&minutes_, &hours_}) {
    RateCell* cell = ring->cell(key, sent_ms);
    if (cell == nullptr) continue;
    cell->figures_of += told.of;
    cell->figures += told.delivered;
    cell->opened += told.opened;
  }
}

std::vector<RateRow> RateBook::query(const RateQuery& query, const Profiles& profiles,
                                     const std::vector<ReceiptKind>& label_of_channel) const {
  const auto minutes = static_cast<int64_t>(minutes_.buckets.size()) - 1;
  const Ring& ring = query.now_ms - query.from_ms <= minutes * minutes_.period_ms ? minutes_ : hours_;
  const int64_t last = query.now_ms / ring.period_ms;
  const int64_t oldest = last - static_cast<int64_t>(ring.buckets.size()) + 1;  // a bucket may wait long to be reused
  const int64_t first = std::max(query.from_ms / ring.period_ms, oldest);
  std::map<std::tuple<ChannelNo, uint16_t, uint16_t, uint16_t>, RateCell> groups;
  for (const Bucket& bucket : ring.buckets) {
    if (bucket.number < first || bucket.number > last) continue;
    for (const auto& [key, cell] : bucket.cells) {
      const auto part = [key = key](int shift, bool wanted) {
        return wanted ? static_cast<uint16_t>(key >> shift) : uint16_t{0};
      };
      groups[{channel_of_key(key), part(32, query.by_manufacturer), part(16, query.by_os),
              part(0, query.by_app_version)}]
          .add(cell);
    }
  }
  std::map<ChannelNo, RateCell> whole;
  for (const auto& [group, cell] : groups) whole[std::get<0>(group)].add(cell);
  std::vector<RateRow> rows;
  for (const auto& [group, cell] : groups) {
    const auto& [channel, maker, os, app] = group;
    if (channel >= label_of_channel.size()) continue;
    RateRow row;
    row.channel = channel;
    if (query.by_manufacturer) row.manufacturer = profiles.makers().name(maker);
    if (query.by_os) row.os = profiles.oses().name(os);
    if (query.by_app_version) row.app_version = profiles.apps().name(app);
    row.sent = cell.sent;
    row.opened = cell.opened;
    row.median_delay_s = median_s(cell);
    const auto emit = [&](ReceiptKind kind, double delivered, double settled) {
      row.kind = kind;
      row.delivered = delivered;
      settled = std::max(settled, delivered);
      row.settled = settled;
      row.rate = settled > 0 ? delivered / settled : 0;
      const Interval interval = jeffreys_95(delivered, settled);
      row.low = interval.low, row.high = interval.high;
      rows.push_back(row);
    };
    // One row for each kind that there were receipts of, and the channel's own kind when there were none: kinds are
    // never added up, and a kind that nobody uses here is not a rate of zero. What a channel is heard to use elsewhere
    // in the window counts for more than what it is said to use.
    ReceiptKind label = label_of_channel[channel];
    if (label == ReceiptKind::vendor && whole[channel].vendor == 0 && whole[channel].device > 0)
      label = ReceiptKind::device;
    const bool none = cell.device == 0 && cell.vendor == 0 && cell.figures_of == 0;
    if (cell.device > 0 || (none && label == ReceiptKind::device)) emit(ReceiptKind::device, cell.device, cell.settled);
    if (cell.vendor > 0 || (none && label == ReceiptKind::vendor)) emit(ReceiptKind::vendor, cell.vendor, cell.settled);
    if (label < ReceiptKind::vendor) emit(ReceiptKind::accepted, cell.accepted, cell.sent);
    if (cell.figures_of > 0) {
      row.sent = cell.figures_of;  // the vendor counts by its own kinds of phones
      emit(ReceiptKind::vendor, cell.figures, cell.figures_of);
    }
  }
  return rows;
}

void RateBook::save_ring(ByteWriter& out, const Ring& ring) {
  out.varint(ring.buckets.size());
  for (const Bucket& bucket : ring.buckets) {
    out.zigzag(bucket.number);
    std::vector<uint64_t> keys;
    for (const auto& [key, cell] : bucket.cells) keys.push_back(key);
    std::sort(keys.begin(), keys.end());  // the same state is always the same bytes
    out.varint(keys.size());
    for (const uint64_t key : keys) {
      const RateCell& cell = bucket.cells.at(key);
      out.varint(key);
      for (const uint32_t n : {cell.sent, cell.accepted, cell.settled, cell.vendor, cell.device, cell.opened,
                               cell.figures_of, cell.figures})
        out.varint(n);
      for (const uint32_t n : cell.delays) out.varint(n);
    }
  }
}

void RateBook::restore_ring(ByteReader& in, Ring& ring, const std::vector<ChannelNo>& channel_of) {
  if (in.varint() != ring.buckets.size()) return in.fail();
  for (Bucket& bucket : ring.buckets) {
    bucket.number = in.zigzag();
    const uint64_t count = in.varint();
    if (count > kMaxCells + kMaxChannels) return in.fail();
    for (uint64_t i = 0; i < count && !in.failed(); ++i) {
      const uint64_t key = in.varint();
      RateCell cell;
      for (uint32_t* n : {&cell.sent, &cell.accepted, &cell.settled, &cell.vendor, &cell.device, &cell.opened})
        *n = static_cast<uint32_t>(in.varint());
      for (uint32_t* n : {&cell.figures_of, &cell.figures}) *n = static_cast<uint32_t>(in.varint());
      for (uint32_t& n : cell.delays) n = static_cast<uint32_t>(in.varint());
      const uint64_t channel = key >> 48;
      if (channel >= channel_of.size()) return in.fail();
      bucket.cells[(key & 0xffffffffffffu) | static_cast<uint64_t>(channel_of[channel]) << 48] = cell;
    }
  }
}

void RateBook::save(ByteWriter& out) const {
  save_ring(out, minutes_);
  save_ring(out, hours_);
}

void RateBook::restore(ByteReader& in, const std::vector<ChannelNo>& channel_of) {
  restore_ring(in, minutes_, channel_of);
  restore_ring(in, hours_, channel_of);
}

}  // namespace godwit::routing
