#include "plugins/selfconn/gateway/session_book.hpp"

#include <algorithm>
#include <utility>

namespace selfconn {
namespace {

constexpr size_t kFirstSize = 64;
constexpr size_t kSweptAtOnce = 1024;

uint64_t named(uint64_t device) {
  return device ? device : 1;
}  // 0 marks a free slot

}  // namespace

size_t SessionBook::find(uint64_t device) const {
  size_t at = device & mask();
  while (slots_[at].device != 0 && slots_[at].device != device) at = (at + 1) & mask();
  return at;
}

void SessionBook::keep(uint64_t device, uint32_t until_tick, std::unique_ptr<SessionState> state) {
  device = named(device);
  if (state && state->is_empty()) state.reset();
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  Slot& slot = slots_[find(device)];
  if (slot.device == 0) {
    if (size_ >= limit_) return;
    ++size_;
  }
  slot.device = device;
  slot.until_tick = until_tick;
  slot.state = std::move(state);
}

bool SessionBook::take(uint64_t device, uint32_t now_tick, std::unique_ptr<SessionState>& state) {
  if (slots_.empty()) return false;
  const size_t at = find(named(device));
  if (slots_[at].device == 0) return false;
  const bool lives = !is_over(slots_[at].until_tick, now_tick);
  if (lives) state = std::move(slots_[at].state);
  erase(at);
  return lives;
}

void SessionBook::erase(size_t hole) {
  for (size_t at = (hole + 1) & mask(); slots_[at].device != 0; at = (at + 1) & mask()) {
    // An entry may move up into the hole unless its own place lies behind the hole.
    const size_t home = slots_[at].device & mask();
    if (((at - home) & mask()) >= ((at - hole) & mask())) {
      slots_[hole] = std::move(slots_[at]);
      hole = at;
    }
  }
  slots_[hole] = Slot();
  --size_;
}

void SessionBook::sweep(uint32_t now_tick) {
  for (size_t looked = 0; looked < std::min(kSweptAtOnce, slots_.size()); ++looked) {
    swept_ = (swept_ + 1) & mask();
    // Erasing moves a later entry up: look at the same slot again.
    while (slots_[swept_].device != 0 && is_over(slots_[swept_].until_tick, now_tick)) erase(swept_);
  }
}

void SessionBook::grow() {
  std::vector<Slot> old(std::max(kFirstSize, slots_.size() * 2));
  old.swap(slots_);
  for (Slot& slot : old)
    if (slot.device != 0) slots_[find(slot.device)] = std::move(slot);
}

}  // namespace selfconn
