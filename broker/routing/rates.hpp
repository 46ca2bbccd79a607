// RateBook: what people ask for: how many messages went out on a channel, to which kind of device, and how many came
// back as delivered, counted (not decayed) by the minute for two hours and by the hour for a week.
//
// A message belongs to the minute in which it was sent, whenever its receipt comes, so "delivered of sent" is about the
// same messages. Kinds of receipts are counted apart. Bounded: a bucket holds at most kMaxCells groups, the rest counts
// as "other".
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/routing/profiles.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

// Counts of one channel for one manufacturer, OS level and app version.
struct RateCell {
  uint32_t sent = 0;
  uint32_t accepted = 0;
  uint32_t settled = 0;             // outcome known, of devices whose receipts come back
  uint32_t vendor = 0, device = 0;  // receipts by kind
  uint32_t opened = 0;
  uint32_t figures_of = 0, figures = 0;  // told about whole pushes: so many arrived of so many
  std::array<uint32_t, 16> delays{};     // receipts by octave of delay from 16 ms

  void add(const RateCell& other);
};

enum class RateEvent : uint8_t { sent, accepted, settled, vendor, device, opened };

class RateBook {
 public:
  // `sent_ms` is the moment of the send; events of messages older than a week are not counted.
  void count(ChannelNo channel, const Profile& profile, WallMs sent_ms, RateEvent event, double delay_s = 0);

  // What a vendor tells about many messages at once, since it last did.
  void add_figures(ChannelNo channel, const Profile& profile, WallMs sent_ms, const VendorFigures& figures);

  std::vector<RateRow> query(const RateQuery& query, const Profiles& profiles,
                             const std::vector<ReceiptKind>& label_of_channel) const;

  void save(ByteWriter& out) const;
  void restore(ByteReader& in, const std::vector<ChannelNo>& channel_of);

  static constexpr size_t kMaxCells = 2048;

 private:
  struct Bucket {
    int64_t number = -1;  // minutes or hours since 1970; -1 is unused
    boost::unordered_flat_map<uint64_t, RateCell> cells;
  };
  struct Ring {
    int64_t period_ms;
    std::vector<Bucket> buckets;
    RateCell* cell(uint64_t key, WallMs at);
  };
  static void save_ring(ByteWriter& out, const Ring& ring);
  static void restore_ring(ByteReader& in, Ring& ring, const std::vector<ChannelNo>& channel_of);

  Ring minutes_{60'000, std::vector<Bucket>(121)};
  Ring hours_{3'600'000, std::vector<Bucket>(169)};
};

}  // namespace godwit::routing
