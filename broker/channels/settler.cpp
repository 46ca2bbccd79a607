#include "broker/channels/settler.hpp"

#include <algorithm>
#include <godwit/table.hpp>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

constexpr MonoNs kNoDeadlineNs = 60 * kNsPerSecond;
constexpr uint64_t kMaxRetryAfterMs = 24 * 3600 * 1000;

Disposition disposition_of(const gw_outcome& outcome) {
  return outcome.disposition < GW_DISPOSITION_COUNT ? static_cast<Disposition>(outcome.disposition)
                                                    : Disposition::unknown;
}
static_assert(static_cast<uint32_t>(Disposition::accepted) == GW_ACCEPTED &&
              static_cast<uint32_t>(Disposition::target_invalid) == GW_TARGET_INVALID &&
              static_cast<uint32_t>(Disposition::expired) == GW_EXPIRED &&
              static_cast<uint32_t>(Disposition::expired) + 1 == GW_DISPOSITION_COUNT);

}  // namespace

void Settler::attach(ChannelSink& sink) {
  std::lock_guard lock(sink_mutex_);
  sink_ = &sink;
}

void Settler::detach() {
  std::lock_guard lock(sink_mutex_);
  sink_ = nullptr;
}

void Settler::open(std::span<const std::shared_ptr<const Parcel>> parcels, std::vector<const gw_msg*>& messages) {
  messages.clear();
  const MonoNs now = clock_.mono_ns();
  std::lock_guard lock(mutex_);
  for (const std::shared_ptr<const Parcel>& parcel : parcels) {
    const MonoNs deadline = parcel->deadline_ns > 0 ? parcel->deadline_ns : now + kNoDeadlineNs;
    messages.push_back(table_.open(parcel, levels_, std::max(deadline, now) + kGraceNs).form.message());
  }
}

void Settler::refuse(std::span<const uint64_t> tickets, Disposition disposition, std::string_view detail) {
  Garbage garbage;
  std::lock_guard lock(mutex_);
  for (const uint64_t number : tickets) {
    TicketTable::Ticket* ticket = nullptr;
    if (table_.find(number, ticket) != TicketTable::Lookup::found) continue;
    const uint32_t targets = ticket->form.message()->target_count;
    for (uint32_t i = 0; i < targets; ++i) {
      if (!ticket->is_open(i)) continue;
      if (!ticket->abandoned) report(ticket->form.parcel().cookie, i, disposition, 0, detail);
      ticket->settle(i);
    }
    close_if_done(*ticket, garbage);
  }
}

void Settler::return_unsent(std::span<const std::shared_ptr<const Parcel>> parcels, Disposition disposition,
                            int64_t retry_after_ms, std::string_view detail) {
  {
    std::lock_guard lock(mutex_);
    for (const std::shared_ptr<const Parcel>& parcel : parcels)
      for (uint32_t i = 0; i < parcel->targets.size(); ++i)
        report(parcel->cookie, i, disposition, retry_after_ms, detail);
  }
  window_.give_back(static_cast<uint32_t>(parcels.size()));
}

int32_t Settler::settle(const gw_outcome* const* outcomes, uint32_t count, bool later) {
  bool all_taken = true;
  uint64_t retry_after_ms = 0;
  {
    Garbage garbage;
    std::lock_guard lock(mutex_);
    for (uint32_t i = 0; i < count; ++i) {
      const gw_outcome outcome = import_table(outcomes[i]);
      all_taken &= take(outcome, garbage);
      if (outcome.disposition == GW_THROTTLED) retry_after_ms = std::max(retry_after_ms, outcome.retry_after_ms);
    }
  }
  // The vendor limits the account, so other messages would only be refused too.
  if (retry_after_ms > 0) throttled_(static_cast<int64_t>(std::min(retry_after_ms, kMaxRetryAfterMs)));
  if (!later) flush();
  return all_taken ? GW_OK : GW_E_INVALID;
}

bool Settler::take(const gw_outcome& outcome, Garbage& garbage) {
  TicketTable::Ticket* ticket = nullptr;
  switch (table_.find(outcome.ticket, ticket)) {
    case TicketTable::Lookup::never_given:
      misbehaviour_.note("foreign-ticket",
                         "settled ticket " + std::to_string(outcome.ticket) + ", which was never given");
      return false;
    case TicketTable::Lookup::over:
      misbehaviour_.note("double-settle", "settled ticket " + std::to_string(outcome.ticket) + " again");
      return false;
    case TicketTable::Lookup::found:
      break;
  }
  bool taken = true;
  const uint32_t targets = ticket->form.message()->target_count;
  if (outcome.target_index == GW_ALL_TARGETS) {
    for (uint32_t i = 0; i < targets; ++i)
      if (ticket->is_open(i)) take_target(*ticket, i, outcome);
  } else {
    taken = outcome.target_index < targets && take_target(*ticket, outcome.target_index, outcome);
    if (outcome.target_index >= targets)
      misbehaviour_.note("foreign-target", "settled target " + std::to_string(outcome.target_index) +
                                               " of a message with " + std::to_string(targets));
  }
  close_if_done(*ticket, garbage);
  return taken;
}

bool Settler::take_target(TicketTable::Ticket& ticket, uint32_t target, const gw_outcome& outcome) {
  if (!ticket.is_open(target)) {
    misbehaviour_.note("double-settle", "settled target " + std::to_string(target) + " of a message again");
    return false;
  }
  ticket.settle(target);
  if (ticket.abandoned) {  // the engine has been told `unknown` long ago
    ++late_;
    misbehaviour_.note("late-settle", "settled a message more than 5 s after its deadline");
    return true;
  }
  report(ticket.form.parcel().cookie, target, disposition_of(outcome),
         static_cast<int64_t>(std::min(outcome.retry_after_ms, kMaxRetryAfterMs)), clean_text(outcome.detail, 512));
  Settlement& s = pending_.back();
  s.http_status = static_cast<int>(outcome.http_status);
  s.dead_since_ms = static_cast<WallMs>(outcome.since_wall_ms);
  s.vendor_id = clean_text(outcome.vendor_id, 256);
  s.vendor_code = clean_text(outcome.vendor_code, 128);
  return true;
}

void Settler::report(uint64_t cookie, uint32_t target, Disposition disposition, int64_t retry_after_ms,
                     std::string_view detail) {
  Settlement& s = pending_.emplace_back();
  s.channel = channel_;
  s.cookie = cookie;
  s.target = target;
  s.disposition = disposition;
  s.retry_after_ms = retry_after_ms;
  s.detail = detail;
}

// The targets stay open in the table: when the plugin speaks after all, that is a late settle and not a double one.
void Settler::give_up(TicketTable::Ticket& ticket, std::string_view detail) {
  const uint32_t targets = ticket.form.message()->target_count;
  for (uint32_t i = 0; i < targets; ++i)
    if (ticket.is_open(i)) report(ticket.form.parcel().cookie, i, Disposition::unknown, 0, detail);
  table_.abandon(ticket);
  window_.give_back(1);
}

void Settler::close_if_done(TicketTable::Ticket& ticket, Garbage& garbage) {
  if (ticket.open_targets > 0) return;
  if (!ticket.abandoned) window_.give_back(1);
  garbage.push_back(table_.close(ticket));
}

void Settler::sweep(MonoNs now) {
  size_t found = 0;
  {
    std::lock_guard lock(mutex_);
    table_.for_each_overdue(now, [&](TicketTable::Ticket& ticket) {
      ++found;
      give_up(ticket, "the plugin did not settle it in time");
    });
  }
  if (found == 0) return;
  forgotten_ += found;
  misbehaviour_.note("never-settled", std::to_string(found) + " messages were not settled 5 s after their deadline");
  flush();
}

size_t Settler::end_all(std::string_view detail) {
  size_t found = 0;
  {
    std::lock_guard lock(mutex_);
    table_.for_each([&](TicketTable::Ticket& ticket) {
      if (ticket.abandoned) return;
      ++found;
      give_up(ticket, detail);
    });
  }
  forgotten_ += found;
  flush();
  return found;
}

void Settler::release() {
  Garbage garbage;
  std::lock_guard lock(mutex_);
  table_.for_each([&](TicketTable::Ticket& ticket) { garbage.push_back(table_.close(ticket)); });
}

std::vector<uint64_t> Settler::tickets_of(const std::unordered_set<uint64_t>& cookies) {
  std::vector<uint64_t> found;
  std::lock_guard lock(mutex_);
  table_.for_each([&](TicketTable::Ticket& ticket) {
    if (!ticket.abandoned && cookies.contains(ticket.form.parcel().cookie))
      found.push_back(ticket.form.message()->ticket);
  });
  return found;
}

void Settler::flush() {
  std::lock_guard sink_lock(sink_mutex_);
  std::vector<Settlement> batch;
  {
    std::lock_guard lock(mutex_);
    if (pending_.empty()) return;
    batch.reserve(pending_.size());  // the next batch will be of about this size
    batch.swap(pending_);
  }
  if (sink_) sink_->settled(std::move(batch));
}

size_t Settler::pending() const {
  std::lock_guard lock(mutex_);
  return pending_.size();
}

bool Settler::events(std::vector<ChannelEvent> events) {
  flush();
  std::lock_guard lock(sink_mutex_);
  return sink_ ? sink_->events(std::move(events)) : true;
}

void Settler::room() {
  std::lock_guard lock(sink_mutex_);
  if (sink_) sink_->room(channel_);
}

}  // namespace godwit::channels
