#include "broker/channels/ticket_table.hpp"

namespace godwit::channels {

TicketTable::Ticket& TicketTable::open(std::shared_ptr<const Parcel> parcel, uint32_t priority_levels,
                                       MonoNs overdue_at) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
    overdue_at_.push_back(kNever);
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  Ticket& ticket = slots_[slot];
  if (++ticket.generation == 0) ticket.generation = 1;
  ticket.open_targets = static_cast<uint32_t>(parcel->targets.size());
  ticket.abandoned = false;
  ticket.settled.assign(parcel->targets.size() > 1 ? parcel->targets.size() : 0, false);
  ticket.form.fill(std::move(parcel), static_cast<uint64_t>(ticket.generation) << 32 | slot, priority_levels);
  overdue_at_[slot] = overdue_at;
  return ticket;
}

TicketTable::Lookup TicketTable::find(uint64_t number, Ticket*& ticket) {
  const auto slot = static_cast<uint32_t>(number), generation = static_cast<uint32_t>(number >> 32);
  if (slot >= slots_.size() || generation == 0 || generation > slots_[slot].generation) return Lookup::never_given;
  ticket = &slots_[slot];
  return generation == ticket->generation && ticket->form.filled() ? Lookup::found : Lookup::over;
}

std::shared_ptr<const Parcel> TicketTable::close(Ticket& ticket) {
  const uint32_t slot = slot_of(ticket);
  overdue_at_[slot] = kNever;
  if (ticket.abandoned) --abandoned_;
  free_.push_back(slot);
  return ticket.form.clear();
}

void TicketTable::abandon(Ticket& ticket) {
  overdue_at_[slot_of(ticket)] = kNever;
  ticket.abandoned = true;
  ++abandoned_;
}

}  // namespace godwit::channels
