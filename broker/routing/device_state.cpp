#include "broker/routing/device_state.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

namespace godwit::routing {

namespace {

constexpr uint32_t kWorthDecaying_min = 120;  // 0.6 % of a 10-day half-life

uint16_t saturate(float v) {
  return static_cast<uint16_t>(std::clamp(v, 0.0f, 65535.0f));
}

// A fraction in [0, 1) that depends on nothing but its arguments: decisions stay reproducible over a restart.
float dither(uint32_t a, uint32_t b, uint32_t c) {
  uint64_t z = (static_cast<uint64_t>(a) << 32 | b) + 0x9e3779b97f4a7c15u * (c + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<float>(z >> 40) * 0x1.0p-24f;
}

}  // namespace

unsigned DeviceState::borrow(ChannelNo channel) {
  if (const unsigned have = slot(channel); have != kNoSlot) return have;
  unsigned best = kNoSlot;
  for (unsigned i = 0; i < kSlots && best == kNoSlot; ++i)
    if (lent_to[i] == 0) best = i;
  if (best == kNoSlot) {
    for (unsigned i = 0, least = UINT32_MAX; i < kSlots; ++i) {
      const bool needed = (tokens >> (lent_to[i] - 1) & 1) != 0;
      const unsigned known = static_cast<unsigned>(success[i]) + failure[i];
      if (!needed && known < least) least = known, best = i;
    }
  }
  if (best == kNoSlot) return kNoSlot;
  const auto bit = static_cast<uint8_t>(~(1u << best));
  success[best] = failure[best] = 0;
  reports &= bit, last_outcome &= bit, has_last &= bit;
  set_silence(best, 0);
  lent_to[best] = static_cast<uint8_t>(channel + 1);
  return best;
}

float DeviceState::fade(uint32_t minute, float half_life_min) const {
  return minute > decayed_min ? std::exp2(-static_cast<float>(minute - decayed_min) / half_life_min) : 1.0f;
}

void DeviceState::decay(uint32_t minute, float half_life_min, uint32_t salt) {
  if (minute < decayed_min + kWorthDecaying_min) return;
  const float by = fade(minute, half_life_min);
  for (unsigned i = 0; i < kSlots; ++i) {
    success[i] = saturate(static_cast<float>(success[i]) * by + dither(salt, minute, i));
    failure[i] = saturate(static_cast<float>(failure[i]) * by + dither(salt, minute, i + kSlots));
  }
  decayed_min = minute;
}

void DeviceState::add_success(unsigned slot, float v) {
  success[slot] = saturate(static_cast<float>(success[slot]) + std::round(v * 256));
}

void DeviceState::add_failure(unsigned slot, float v) {
  failure[slot] = saturate(static_cast<float>(failure[slot]) + std::round(v * 256));
}

void DeviceState::heard(uint32_t hour) {
  alive_hour = static_cast<uint16_t>(std::min<uint32_t>(hour + 1, 65535));
  std::memset(silence, 0, sizeof silence);
}

void DeviceState::unheard(unsigned slot, double nats) {
  constexpr unsigned kMost = 10;  // 2.5 nats
  const unsigned before = silence[slot / 2] >> (slot % 2 * 4) & 15u;
  set_silence(slot, std::min(kMost, before + static_cast<unsigned>(std::clamp(nats, 0.0, 9.0) * 4 + 0.5)));
}

void DeviceState::set_silence(unsigned slot, unsigned quarters) {
  const unsigned shift = slot % 2 * 4;
  silence[slot / 2] = static_cast<uint8_t>((silence[slot / 2] & ~(15u << shift)) | quarters << shift);
}

void DeviceState::halve() {
  for (unsigned i = 0; i < kSlots; ++i) success[i] /= 2, failure[i] /= 2;
}

void DeviceState::new_installation() {
  std::memset(success, 0, sizeof success);
  std::memset(failure, 0, sizeof failure);
  std::memset(silence, 0, sizeof silence);
  last_outcome = has_last = 0;
  ++generation;
}

DeviceState& DeviceTable::at(DeviceNo device) {
  const size_t block = device / kPerBlock;
  if (block >= blocks_.size()) blocks_.resize(block + 1);
  if (!blocks_[block]) {
    constexpr size_t kBytes = kPerBlock * sizeof(DeviceState);
    void* raw = std::aligned_alloc(kBytes, kBytes);
    if (raw == nullptr) throw std::bad_alloc();
    madvise(raw, kBytes, MADV_HUGEPAGE);  // a wish: random devices then cost one TLB miss less
    std::memset(raw, 0, kBytes);
    blocks_[block].reset(static_cast<DeviceState*>(raw));
  }
  return blocks_[block][device % kPerBlock];
}

void DeviceTable::Free::operator()(DeviceState* block) const {
  std::free(block);
}

}  // namespace godwit::routing
