// Parked: deliveries that no channel can carry now, for a reason that will pass. Each has a timer of its own for the
// next look; this is the list of those to look at as soon as a channel wakes up: then all are due at once, and are
// taken little by little, so that a turn stays short.
//
// Delivery::parked_listed says whether an entry is still meant: whoever ends a delivery clears it and need not search
// here. Engine's thread only.
#pragma once

#include <algorithm>
#include <vector>

#include "broker/engine/message_book.hpp"

namespace godwit::engine {

class Parked {
 public:
  explicit Parked(MessageBook& book) : book_(book) {}

  void add(DeliveryIx);      // until a channel wakes up
  void add_due(DeliveryIx);  // to be looked at next
  void wake_all();
  bool any_due() const { return !due_.empty(); }

  // Calls look(delivery) for those that are due and still parked, `most` entries at a time.
  template <class Look>
  void take(size_t most, Look look) {
    for (size_t n = std::min(due_.size(), most); n > 0; --n) {
      const DeliveryIx dix = due_.back();
      due_.pop_back();
      if (!is_meant(dix)) continue;
      Delivery& d = book_.delivery(dix);
      d.parked_listed = false;
      if (!d.final && d.live == 0 && d.wake == Wake::parked) look(dix);
    }
  }

 private:
  bool is_meant(DeliveryIx dix) const { return book_.deliveries().alive(dix) && book_.delivery(dix).parked_listed; }

  MessageBook& book_;
  std::vector<DeliveryIx> asleep_, due_;
  size_t compact_at_ = 1'024;  // entries of asleep_
};

}  // namespace godwit::engine
