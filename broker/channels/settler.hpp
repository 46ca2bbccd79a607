// Settler makes sure that every (ticket, target) ends exactly once, and tells the engine in the right order.
//
// Plugins settle from any thread, twice, too late, or never; the engine must see each target once. What one call into
// the plugin settles is handed to the sink as one batch when that call ends; what a plugin's own thread settles goes at
// once. Settlements and events leave in the order in which the plugin spoke: a receipt never overtakes the settlement
// that tells its vendor_id.
//
// Any thread, except where [lane] is said. After `detach` the sink is never called again.
#pragma once

#include <godwit/abi.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "broker/channels/lane.hpp"
#include "broker/channels/misbehaviour.hpp"
#include "broker/channels/port.hpp"
#include "broker/channels/ticket_table.hpp"
#include "broker/channels/window.hpp"

namespace godwit::channels {

class Settler {
 public:
  // The host waits so long beyond a message's deadline before it settles by itself.
  static constexpr MonoNs kGraceNs = 5 * kNsPerSecond;

  // `throttled` is told how long the vendor wants to be left alone; on the settling thread, no lock held.
  Settler(ChannelNo channel, uint32_t priority_levels, const Clock& clock, Window& window, Misbehaviour& misbehaviour,
          std::function<void(int64_t retry_after_ms)> throttled)
      : channel_(channel),
        levels_(priority_levels),
        clock_(clock),
        window_(window),
        misbehaviour_(misbehaviour),
        throttled_(std::move(throttled)) {}

  void attach(ChannelSink& sink);
  void detach();

  using Parcels = std::vector<std::shared_ptr<const Parcel>>;
  // [lane] Gives each parcel a ticket; `messages` (cleared first) points to what the plugin gets. Each parcel's window
  // slot was taken before and is given back when its ticket ends.
  void open(std::span<const std::shared_ptr<const Parcel>> parcels, std::vector<const gw_msg*>& messages);
  // [lane] What the plugin's submit did not take: ends those of the tickets that are still open.
  void refuse(std::span<const uint64_t> tickets, Disposition disposition, std::string_view detail);
  // Ends parcels that never reached the plugin.
  void return_unsent(std::span<const std::shared_ptr<const Parcel>> parcels, Disposition disposition,
                     int64_t retry_after_ms, std::string_view detail);

  // The plugin's settle: GW_OK, or GW_E_INVALID if an outcome named nothing open. Flushes unless `later` (the caller is
  // on the lane, and flush follows).
  int32_t settle(const gw_outcome* const* outcomes, uint32_t count, bool later);

  // Settles `unknown` what the plugin should have settled by now.
  void sweep(MonoNs now);
  // The same for all that is open, and answers how many messages that were.
  size_t end_all(std::string_view detail);
  // REQUIRES: the plugin can read nothing any more (destroy returned).
  void release();

  // The tickets of these parcels, for cancel. Looks through everything that is open, so ask for many at once.
  std::vector<uint64_t> tickets_of(const std::unordered_set<uint64_t>& cookies);

  void flush();
  size_t pending() const;
  // After what is settled so far. False: the engine has no room.
  bool events(std::vector<ChannelEvent> events);
  void room();

  size_t abandoned() const { return table_.abandoned(); }
  uint64_t late_settles() const { return late_; }
  uint64_t forgotten() const { return forgotten_; }

 private:
  using Garbage = std::vector<std::shared_ptr<const Parcel>>;  // destroyed after the lock is gone
  bool take(const gw_outcome& outcome, Garbage& garbage);
  bool take_target(TicketTable::Ticket& ticket, uint32_t target, const gw_outcome& outcome);
  void report(uint64_t cookie, uint32_t target, Disposition disposition, int64_t retry_after_ms,
              std::string_view detail);
  void give_up(TicketTable::Ticket& ticket, std::string_view detail);
  void close_if_done(TicketTable::Ticket& ticket, Garbage& garbage);

  const ChannelNo channel_;
  const uint32_t levels_;
  const Clock& clock_;
  Window& window_;
  Misbehaviour& misbehaviour_;
  const std::function<void(int64_t)> throttled_;

  // Held while the sink is called, so that two threads cannot swap the order. Taken before mutex_.
  std::mutex sink_mutex_;
  ChannelSink* sink_ = nullptr;  // guarded by sink_mutex_

  mutable std::mutex mutex_;
  TicketTable table_;                // guarded by mutex_, but for abandoned()
  std::vector<Settlement> pending_;  // guarded by mutex_
  std::atomic<uint64_t> late_{0}, forgotten_{0};
};

}  // namespace godwit::channels
