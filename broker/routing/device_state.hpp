// DeviceState: what the router remembers of one device, in exactly one cache line; a zeroed line is a device never
// seen.
//
// A device has eight slots, each lent to one channel; a phone with more than eight channels keeps the best-known ones
// and judges the others by its segment. Counters are 8.8 fixed point and decay on reading by the age of the line, so
// that a look changes nothing; writing applies the decay once it amounts to something, rounding by a hash so that small
// counters fade instead of sticking.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "broker/routing/router.hpp"

namespace godwit::routing {

constexpr unsigned kSlots = 8;
constexpr unsigned kNoSlot = kSlots;

struct alignas(64) DeviceState {
  uint16_t success[kSlots];  // 8.8 fixed point, saturating
  uint16_t failure[kSlots];
  uint8_t lent_to[kSlots];      // channel + 1; 0 is free
  uint32_t profile;             // 0: unknown
  uint32_t tokens;              // bit per channel
  uint32_t decayed_min;         // the minute to which the counters are decayed
  uint16_t alive_hour;          // of the last sign of life, + 1; 0: never
  uint8_t reports;              // bit per slot: its receipts come back
  uint8_t silence[kSlots / 2];  // nibble per slot: what its silence says, in quarter nats, since the last sign of life
  uint8_t last_outcome, has_last;  // bit per slot: the previous outcome, for learning how much devices differ
  uint8_t generation;              // of the installation
  uint8_t flags;

  // The slot lent to a channel, or kNoSlot. Eight compares at once.
  unsigned slot(ChannelNo channel) const {
    uint64_t all;
    std::memcpy(&all, lent_to, 8);
    const uint64_t x = all ^ (0x0101010101010101u * static_cast<uint64_t>(channel + 1));
    const uint64_t zero = (x - 0x0101010101010101u) & ~x & 0x8080808080808080u;
    return zero == 0 ? kNoSlot : static_cast<unsigned>(__builtin_ctzll(zero)) / 8;
  }

  // The slot of a channel, borrowing a free one or that of a channel without a token; kNoSlot when all are needed.
  unsigned borrow(ChannelNo channel);

  // 2^(-age / half-life), by which the counters must be multiplied on reading.
  float fade(uint32_t minute, float half_life_min) const;

  // Brings the counters to `minute` if that changes them by more than a rounding error.
  void decay(uint32_t minute, float half_life_min, uint32_t salt);

  void add_success(unsigned slot, float v);
  void add_failure(unsigned slot, float v);  // negative takes back; never below zero

  void heard(uint32_t hour);  // any sign of life
  // One more silence on a channel, of this weight in nats. A channel's word is capped: one dead token must not make
  // the device look dormant.
  void unheard(unsigned slot, double nats);
  double silence_nats() const {
    uint32_t all;
    std::memcpy(&all, silence, 4);
    const uint32_t pairs = (all & 0x0f0f0f0f) + (all >> 4 & 0x0f0f0f0f);
    return 0.25 * static_cast<double>((pairs * 0x01010101u) >> 24);
  }
  void halve();             // an upgrade: half the trust
  void new_installation();  // counters and silences start anew

  void set_silence(unsigned slot, unsigned quarters);

  bool ever_alive() const { return alive_hour != 0; }
};
static_assert(sizeof(DeviceState) == 64 && alignof(DeviceState) == 64);

// DeviceTable: the records by dense number, in 2 MiB blocks that the system may back with huge pages; growing never
// moves a record.
class DeviceTable {
 public:
  // Null for a device in a block that was never touched.
  const DeviceState* find(DeviceNo device) const {
    const size_t block = device / kPerBlock;
    return block < blocks_.size() && blocks_[block] ? &blocks_[block][device % kPerBlock] : nullptr;
  }
  DeviceState* find(DeviceNo device) { return const_cast<DeviceState*>(std::as_const(*this).find(device)); }
  DeviceState& at(DeviceNo device);

  size_t capacity() const { return blocks_.size() * kPerBlock; }
  static constexpr size_t kPerBlock = 32768;
  // Called with (device, record) for every record that is not all zero.
  template <class F>
  void for_each(F f) const {
    static constexpr DeviceState kEmpty{};
    for (size_t b = 0; b < blocks_.size(); ++b)
      for (size_t i = 0; blocks_[b] && i < kPerBlock; ++i)
        if (std::memcmp(&blocks_[b][i], &kEmpty, sizeof kEmpty) != 0)
          f(static_cast<DeviceNo>(b * kPerBlock + i), blocks_[b][i]);
  }

 private:
  struct Free {
    void operator()(DeviceState* block) const;
  };
  std::vector<std::unique_ptr<DeviceState[], Free>> blocks_;
};

}  // namespace godwit::routing
