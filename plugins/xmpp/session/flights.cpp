#include "plugins/xmpp/session/flights.hpp"

namespace xmpp {

Flight* Flights::find(uint64_t ticket) {
  const auto it = by_ticket_.find(ticket);
  return it == by_ticket_.end() ? nullptr : &it->second;
}

Flight* Flights::find_key(const std::string& key, uint64_t& ticket) {
  const auto it = by_key_.find(key);
  if (it == by_key_.end()) return nullptr;
  ticket = it->second;
  return find(ticket);
}

Flight& Flights::add(uint64_t ticket, godwit::Pending pending) {
  return by_ticket_.emplace(ticket, Flight(std::move(pending))).first->second;
}

void Flights::name(uint64_t ticket, Flight& flight, std::string key) {
  by_key_[key] = ticket;
  flight.key = std::move(key);
}

void Flights::settle(uint64_t ticket, const godwit::Outcome& outcome) {
  end(by_ticket_.find(ticket), outcome);
}

void Flights::end(Map::iterator it, const godwit::Outcome& outcome) {
  godwit::Pending pending = std::move(it->second.pending);
  // Two attempts at the same message and device: the key is the newer one's.
  if (const auto known = by_key_.find(it->second.key); known != by_key_.end() && known->second == it->first)
    by_key_.erase(known);
  by_ticket_.erase(it);
  pending.settle(outcome);
}

}  // namespace xmpp
