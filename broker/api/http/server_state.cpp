#include "broker/api/http/server_state.hpp"

namespace godwit::http {

bool ConnectionGate::enter(const IpAddress& address) {
  std::lock_guard lock(mutex_);
  if (open_ >= total_) return false;
  unsigned& count = by_address_[address.subscriber()];
  if (count >= per_address_) return false;
  ++count;
  ++open_;
  return true;
}

void ConnectionGate::leave(const IpAddress& address) {
  std::lock_guard lock(mutex_);
  const auto it = by_address_.find(address.subscriber());
  if (it != by_address_.end() && --it->second == 0) by_address_.erase(it);
  if (--open_ == 0) empty_.notify_all();
}

unsigned ConnectionGate::open() const {
  std::lock_guard lock(mutex_);
  return open_;
}

bool ConnectionGate::wait_empty(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return empty_.wait_for(lock, limit, [this] { return open_ == 0; });
}

}  // namespace godwit::http
