// VendorIds: from the id that a vendor gave to a send back to the attempt, because that id is all that many receipts
// name.
//
// An entry is eight bytes of hash and four of number; the id itself is read in the attempt, so a hash that two ids
// share misleads nobody. Forgetting comes before the attempt is removed, or its number would stay behind; a number
// whose attempt is gone, or belongs to another by now, is not found. Engine's thread only.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <string_view>

#include "broker/engine/state.hpp"

namespace godwit::engine {

class VendorIds {
 public:
  explicit VendorIds(const Slab<Attempt>& attempts) : attempts_(attempts) {}

  // REQUIRES: the vendor named it (`words->id`). The newest attempt of an id is the one that is found.
  void remember(AttemptIx);
  void forget(AttemptIx);
  AttemptIx find(ChannelNo channel, std::string_view vendor_id) const;  // kNone: unknown
  size_t size() const { return by_id_.size(); }

 private:
  const Slab<Attempt>& attempts_;
  boost::unordered_flat_map<uint64_t, AttemptIx> by_id_;  // hash of (channel, vendor id)
};

}  // namespace godwit::engine
