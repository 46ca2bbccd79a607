#include "broker/engine/parked.hpp"

namespace godwit::engine {

void Parked::add(DeliveryIx dix) {
  Delivery& d = book_.delivery(dix);
  if (d.parked_listed) return;
  d.parked_listed = true;
  asleep_.push_back(dix);
  if (asleep_.size() < compact_at_) return;
  std::erase_if(asleep_, [this](DeliveryIx i) { return !is_meant(i); });
  compact_at_ = std::max<size_t>(1'024, asleep_.size() * 2);
}

void Parked::add_due(DeliveryIx dix) {
  Delivery& d = book_.delivery(dix);
  d.wake = Wake::parked;
  d.parked_listed = true;
  due_.push_back(dix);
}

void Parked::wake_all() {
  due_.insert(due_.end(), asleep_.begin(), asleep_.end());
  asleep_.clear();
}

}  // namespace godwit::engine
