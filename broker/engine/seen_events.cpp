#include "broker/engine/seen_events.hpp"

#include "broker/base/hash.hpp"

namespace godwit::engine {

bool SeenEvents::is_new(ChannelNo channel, std::string_view event_id) {
  const uint64_t hash = stable_hash(event_id, channel);
  if (ids_[0].contains(hash) || ids_[1].contains(hash)) return false;
  if (ids_[0].size() >= generation_) {
    ids_[1] = std::move(ids_[0]);
    ids_[0].clear();
  }
  ids_[0].insert(hash);
  return true;
}

}  // namespace godwit::engine
