// A turn of the engine: after the commands come timers, fan-outs, sending, records, and the figures.
#include <algorithm>

#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr uint32_t kKeptOfFanout = 20'000;        // finished deliveries of one fan-out that stay in memory
constexpr size_t kLooksAtOnce = 2'000;            // at parked deliveries, in a turn
constexpr MonoNs kRefreshEvery = 250 * kNsPerMs;  // the operator's switch and channel states act within a second

}  // namespace

Core::Core(EngineOptions options, const EngineParts& parts, EngineStats& stats, intake::Intake& intake, Post post,
           Background background)
    : options_(std::move(options)),
      parts_(parts),
      stats_(stats),
      intake_(intake),
      post_(std::move(post)),
      post_job_([this](Callback<void()> job) { post_([job = std::move(job)](Core&) mutable { job(); }); }),
      jobs_(std::move(background), post_job_),
      now_(parts.clock.mono_ns()),
      wall_(parts.clock.wall_ms()),
      random_(options_.seed ^ static_cast<uint64_t>(now_)),
      timers_(now_),
      registry_writer_(registry_, parts_.ledger, post_job_,
                       [this](const RegistryChange& change) { device_changed(change); }),
      router_(options_.router),
      decision_log_(parts_.decisions ? options_.decision_log_share : 0),
      history_(parts_.journal, jobs_, options_.query_window_ms),
      checkpointer_(options_, parts_, stats_, registry_, router_, book_, jobs_,
                    {post_job_, [this] { flush_records(); },
                     [this](const MessageEntry& m, std::string& body) { carry_message(m, body); }}) {}

void Core::begin_turn(MonoNs now, WallMs wall) {
  now_ = now;
  wall_ = wall;
}

bool Core::end_turn() {
  more_ = false;
  timers_.advance(now_, [this](uint32_t payload) { on_timer(payload); });
  const bool look_at_all = now_ >= next_refresh_ns_;
  if (look_at_all) {
    next_refresh_ns_ = now_ + kRefreshEvery;
    stats_.unknown_receipts.bump(early_receipts_.expire(now_));
  }
  for (ChannelSlot& slot : slots_)
    if (std::exchange(slot.look, false) || look_at_all) refresh_channel(slot);
  if (parked_.any_due()) {
    parked_.take(kLooksAtOnce, [this](DeliveryIx dix) { look_again(dix); });
    more_ |= parked_.any_due();
  }
  if (!fanouts_.empty()) more_ |= work_fanouts();
  more_ |= pump();
  more_ |= pump_recalls();
  flush_records();
  flush_decisions();
  book_.evict(options_.max_finished_deliveries, options_.max_content_bytes / 2);
  checkpointer_.look(now_);
  publish();
  return more_;
}

void Core::on_timer(uint32_t payload) {
  const uint32_t ix = timer_ix(payload);
  switch (timer_kind(payload)) {
    case TimerKind::delivery:
      return on_delivery_timer(ix);
    case TimerKind::message:
      --scheduled_;
      book_.message(ix).timer = planner::TimerWheel::kNone;
      return plan(ix);
    case TimerKind::inbox: {
      LongPoll poll = polls_.take_expired(ix);
      return answer(poll);
    }
  }
}

MonoNs Core::quiet_until() const {
  return std::min(timers_.quiet_until(), next_refresh_ns_);
}

void Core::flush_records() {
  encode_outcomes();
  if (record_count_ == 0) return;
  checkpointer_.grown(record_buffer_.size());
  // Fan-outs that wait for the journal go on when it has taken this.
  const bool wake = !fanouts_.empty() && journal_is_behind();
  parts_.ledger.submit_lazy(std::exchange(record_buffer_, {}), std::exchange(record_count_, 0),
                            wake ? Committed([this](Fate, RecordRef) { post_([](Core&) {}); }) : Committed());
}

void Core::publish() {
  stats_.open_deliveries.set(book_.open_deliveries());
  stats_.finished_deliveries.set(book_.finished_deliveries());
  stats_.open_messages.set(book_.open_messages());
  stats_.scheduled_messages.set(scheduled_);
  stats_.fanouts.set(fanouts_.size());
  stats_.content_bytes.set(book_.content_bytes());
  stats_.turns.bump();
  for (ChannelSlot& slot : slots_) {
    slot.stats.queued.set(slot.queue.size());
    slot.stats.in_flight.set(slot.in_flight);
  }
}

bool Core::idle() const {
  if (!registry_writer_.idle() || !outcomes_.empty() || flights_.size() > 0) return false;
  return std::all_of(slots_.begin(), slots_.end(), [](const ChannelSlot& slot) { return slot.queue.empty(); });
}

Core::Balance Core::balance() const {
  Balance b;
  b.open_messages = book_.open_messages();
  b.open_deliveries = book_.open_deliveries();
  b.flights = flights_.size();
  b.timers = timers_.size();
  b.attempts = book_.attempts().size();
  return b;
}

// ---- Letting go of what has ended

// A fan-out to millions cannot keep every delivery: the oldest that have ended are counted and let go.
void Core::drop_fanout_head(MessageIx ix) {
  const MessageEntry& m = book_.message(ix);
  while (m.deliveries - m.open > kKeptOfFanout && m.first != kNone) {
    const Delivery& d = book_.delivery(m.first);
    if (!d.final || d.live > 0) return;
    if (d.outcome_due) encode_outcomes();  // before its name is gone
    book_.drop_first(ix);
  }
}

}  // namespace godwit::engine
