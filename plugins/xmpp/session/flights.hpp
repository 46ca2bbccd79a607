// Flights holds every message that the host has handed over and that is not settled yet: queued for the link, written
// to it, or taken by the server and within the patience that the dialect grants the device.
//
// Whatever happens, a flight ends in exactly one settle, and is gone then. One thread.
#pragma once

#include <deque>
#include <godwit/batch.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/xmpp/xml/jid.hpp"

namespace xmpp {

struct Flight {
  enum class State : uint8_t { queued, written, taken };

  explicit Flight(godwit::Pending p) : pending(std::move(p)) {}

  godwit::Pending pending;
  Jid to;
  std::string key;           // message id and bare JID: what a receipt names
  uint64_t deadline_ns = 0;  // to be settled by then
  uint64_t expires_ns = 0;   // of the message itself
  uint64_t expires_wall_ms = 0;
  uint64_t begin = 0;  // written: where in the connection's bytes it begins
  State state = State::queued;
  bool may_have_left = false;  // over a connection that is gone
  bool was_confirmed = false;  // the server had it, on whichever connection

  // The name under which later receipts are found: the host looks them up by it, so a receipt of an account that was
  // never sent this message finds nothing.
  std::string vendor_id() const { return key; }
};

class Flights {
 public:
  static std::string key_of(std::string_view message_id, std::string_view bare) {
    return std::string(message_id).append("/").append(bare);
  }

  size_t size() const { return by_ticket_.size(); }
  Flight* find(uint64_t ticket);
  Flight* find_key(const std::string& key, uint64_t& ticket);

  Flight& add(uint64_t ticket, godwit::Pending pending);
  void name(uint64_t ticket, Flight& flight, std::string key);
  // Settles and forgets. REQUIRES: find(ticket)
  void settle(uint64_t ticket, const godwit::Outcome& outcome);

  template <class Visit>  // visit(ticket, Flight&) -> std::optional<godwit::Outcome>
  void settle_some(Visit visit) {
    for (auto it = by_ticket_.begin(); it != by_ticket_.end();) {
      const auto current = it++;
      if (auto outcome = visit(current->first, current->second)) end(current, *outcome);
    }
  }

  std::deque<uint64_t> queue;  // tickets in the order to send; those that are gone are passed over

 private:
  using Map = std::unordered_map<uint64_t, Flight>;
  void end(Map::iterator it, const godwit::Outcome& outcome);

  Map by_ticket_;
  std::unordered_map<std::string, uint64_t> by_key_;
};

}  // namespace xmpp
