#include "broker/engine/vendor_ids.hpp"

#include "broker/base/hash.hpp"

namespace godwit::engine {
namespace {

uint64_t key_of(ChannelNo channel, std::string_view vendor_id) {
  return stable_hash(vendor_id, channel);
}

}  // namespace

void VendorIds::remember(AttemptIx aix) {
  const Attempt& a = attempts_[aix];
  by_id_[key_of(a.channel, a.words->id)] = aix;
}

void VendorIds::forget(AttemptIx aix) {
  const Attempt& a = attempts_[aix];
  if (!a.words || a.words->id.empty()) return;
  const auto it = by_id_.find(key_of(a.channel, a.words->id));
  if (it != by_id_.end() && it->second == aix) by_id_.erase(it);
}

AttemptIx VendorIds::find(ChannelNo channel, std::string_view vendor_id) const {
  const auto it = by_id_.find(key_of(channel, vendor_id));
  if (it == by_id_.end() || !attempts_.alive(it->second)) return kNone;
  const Attempt& a = attempts_[it->second];
  return a.channel == channel && a.words && a.words->id == vendor_id ? it->second : kNone;
}

}  // namespace godwit::engine
