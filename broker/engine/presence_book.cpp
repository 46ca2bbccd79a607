#include "broker/engine/presence_book.hpp"

namespace godwit::engine {

PresenceBook::Entry& PresenceBook::at(DeviceNo device) {
  if (device >= entries_.size()) entries_.resize(device + 1);
  return entries_[device];
}

void PresenceBook::set(Entry& entry, Entry next) {
  online_ += next.said() == Said::online;
  online_ -= entry.said() == Said::online;
  entry = next;
}

bool PresenceBook::hear(DeviceNo device, uint64_t seq, bool is_online, MonoNs now) {
  Entry& entry = at(device);
  if (entry.said() != Said::nothing && seq < entry.seq()) return false;
  set(entry, {is_online ? Said::online : Said::offline, seq, now, entry.confirms()});
  return true;
}

void PresenceBook::missed(DeviceNo device, MonoNs sent_at, MonoNs now) {
  Entry& entry = at(device);
  if (entry.said() == Said::nothing) return set(entry, {Said::offline, 0, now, false});
  if (entry.said() == Said::online && entry.since_ns() <= sent_at)
    set(entry, {Said::offline, entry.seq(), entry.since_ns(), entry.confirms()});
}

void PresenceBook::confirmed(DeviceNo device) {
  if (device == kNoDevice) return;
  Entry& e = at(device);  // its first receipt may come before its presence
  if (!e.confirms()) e = {e.said(), e.seq(), e.since_ns(), true};
}

MonoNs PresenceBook::away_since(DeviceNo device) const {
  if (said(device) != Said::offline || !entries_[device].confirms()) return 0;
  return entries_[device].since_ns();
}

void PresenceBook::forget(DeviceNo device) {
  if (device < entries_.size()) set(entries_[device], {});
}

void PresenceBook::forget_all() {
  entries_.clear();
  online_ = 0;
}

}  // namespace godwit::engine
