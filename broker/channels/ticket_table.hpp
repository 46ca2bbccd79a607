// TicketTable knows what is with a plugin: which tickets are open, which of their targets are settled, and the memory
// that the plugin may still read.
//
// A ticket is a slot and the slot's generation, so that a number that was settled, or never given, is recognised
// without any search. A ticket that the host gave up (its plugin never settled it) stays here, `abandoned`, until the
// plugin speaks or the instance is destroyed: a slow plugin must never read freed bytes.
//
// Not thread-safe (but for `abandoned`): the Settler guards it. Opening a ticket for a message with one target
// allocates nothing once warm.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <vector>

#include "broker/channels/message_form.hpp"

namespace godwit::channels {

class TicketTable {
 public:
  static constexpr MonoNs kNever = std::numeric_limits<MonoNs>::max();

  struct Ticket {
    MessageForm form;
    uint32_t generation = 0;
    uint32_t open_targets = 0;
    bool abandoned = false;
    std::vector<bool> settled;  // by target; only used for several targets

    bool is_open(uint32_t target) const { return open_targets > 0 && (settled.empty() || !settled[target]); }
    // REQUIRES: is_open(target)
    void settle(uint32_t target) {
      --open_targets;
      if (!settled.empty()) settled[target] = true;
    }
  };
  enum class Lookup { found, over, never_given };

  // `overdue_at`: when the host stops waiting for the plugin.
  Ticket& open(std::shared_ptr<const Parcel> parcel, uint32_t priority_levels, MonoNs overdue_at);
  Lookup find(uint64_t number, Ticket*& ticket);

  // REQUIRES: every target is settled. The caller destroys the parcel where it suits.
  [[nodiscard]] std::shared_ptr<const Parcel> close(Ticket& ticket);
  void abandon(Ticket& ticket);

  // Every ticket that is with the plugin (abandoned ones too), and those that are overdue. `visit` may abandon or
  // close.
  template <class F>
  void for_each(F visit) {
    for (Ticket& ticket : slots_)
      if (ticket.form.filled()) visit(ticket);
  }
  template <class F>
  void for_each_overdue(MonoNs now, F visit) {
    for (size_t i = 0; i < overdue_at_.size(); ++i)
      if (overdue_at_[i] <= now) visit(slots_[i]);
  }

  size_t abandoned() const { return abandoned_; }

 private:
  static uint32_t slot_of(const Ticket& ticket) { return static_cast<uint32_t>(ticket.form.message()->ticket); }
  std::deque<Ticket> slots_;        // a deque: tickets never move, plugins point into them
  std::vector<MonoNs> overdue_at_;  // beside the slots, so that a sweep reads little memory
  std::vector<uint32_t> free_;
  std::atomic<size_t> abandoned_{0};  // may be read without the Settler's lock
};

}  // namespace godwit::channels
