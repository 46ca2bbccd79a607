#include "broker/engine/checkpointer.hpp"

#include <algorithm>
#include <utility>

#include "broker/engine/catalogue_keys.hpp"
#include "broker/message/records.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kRows = 4'000;      // in one transaction of the catalogue
constexpr uint32_t kSlice = 20'000;  // messages looked at in a turn
constexpr size_t kCarryBytes = 1 << 20;

}  // namespace

struct Checkpointer::Job {
  std::vector<Callback<void()>> done;
  std::vector<SegmentInfo> segments;
  uint64_t carry_before = 0;  // open messages below are written again
  uint64_t replay_from = 0;
  uint32_t next = 0;      // message slot
  uint32_t carrying = 0;  // CARRY submissions on their way
  bool scanned = false, failed = false;
};

Checkpointer::Checkpointer(const EngineOptions& options, const EngineParts& parts, EngineStats& stats,
                           Registry& registry, routing::Router& router, MessageBook& book, SlowJobs& jobs, Hooks hooks)
    : options_(options),
      parts_(parts),
      stats_(stats),
      registry_(registry),
      router_(router),
      book_(book),
      jobs_(jobs),
      hooks_(std::move(hooks)) {}
Checkpointer::~Checkpointer() = default;

void Checkpointer::look(MonoNs now) {
  if (job_) return;
  if (next_ns_ == 0) next_ns_ = now + options_.checkpoint_every_ms * kNsPerMs;
  if (now < next_ns_ && bytes_since_ < options_.checkpoint_every_bytes) return;
  next_ns_ = now + options_.checkpoint_every_ms * kNsPerMs;
  if (bytes_since_ > 0 || registry_.dirty() > 0) begin({});
}

void Checkpointer::begin(Callback<void()> done) {
  if (job_) {  // the one that runs may have passed what this caller wants to see written
    if (done) next_.push_back(std::move(done));
    return;
  }
  job_ = std::make_unique<Job>();
  if (done) job_->done.push_back(std::move(done));
  bytes_since_ = 0;
  hooks_.flush();
  save_router();
  // The writer's head is a place such that all completions before it are on their way to this thread before the answer.
  parts_.ledger.run_on_writer([this](Journal& journal) {
    hooks_.post([this, segments = journal.segments()]() mutable { begin_job(std::move(segments)); });
  });
}

void Checkpointer::begin_job(std::vector<SegmentInfo> segments) {
  job_->segments = std::move(segments);
  const size_t n = job_->segments.size();
  if (n > 0) job_->replay_from = job_->segments.back().end_offset;
  if (n >= 2) job_->carry_before = job_->segments[n - 2].first_offset;
  flush_rows();
}

void Checkpointer::flush_rows() {
  std::vector<DeviceRow> rows = registry_.take_dirty(kRows);
  if (rows.empty()) return carry_slice();
  const auto shared = std::make_shared<const std::vector<DeviceRow>>(std::move(rows));
  jobs_.run([this, shared] { return parts_.catalogue.put_devices(*shared); },
            [this, shared](Fate fate) {
              if (fate == Fate::ok) return flush_rows();
              registry_.mark_dirty(*shared);
              end();
            });
}

// Looks at the next slice of messages: the old ones are carried, the place of the oldest is found.
void Checkpointer::carry_slice() {
  Job& job = *job_;
  std::string records, body;
  std::vector<MessageId> carried;
  const uint32_t slots = book_.messages().slots(), end = std::min(slots, job.next + kSlice);
  for (; job.next < end && records.size() < kCarryBytes; ++job.next) {
    if (!book_.messages().alive(job.next)) continue;
    const MessageEntry& m = book_.message(job.next);
    if (m.complete) continue;
    if (m.position >= job.carry_before) {
      job.replay_from = std::min(job.replay_from, m.position);
      continue;
    }
    body.clear();
    hooks_.carry(m, body);
    append_record(records, RecordType::carry, static_cast<uint16_t>(m.message->id.vshard()), body);
    carried.push_back(m.message->id);
  }
  job.scanned = job.next >= slots;
  if (!carried.empty()) {
    ++job.carrying;
    stats_.carried.bump(carried.size());
    hooks_.flush();  // what was said before stands before
    const auto count = static_cast<uint32_t>(carried.size());
    parts_.ledger.submit_lazy(std::move(records), count,
                              [this, carried = std::move(carried)](Fate fate, RecordRef first) {
                                hooks_.post([this, carried, fate, first] { on_carried(carried, fate, first); });
                              });
  }
  if (!job.scanned) return hooks_.post([this] { carry_slice(); });
  if (job.carrying == 0) write_checkpoint();
}

void Checkpointer::on_carried(const std::vector<MessageId>& ids, Fate fate, RecordRef first) {
  --job_->carrying;
  if (fate != Fate::ok) job_->failed = true;
  for (size_t i = 0; i < ids.size() && fate == Fate::ok; ++i) {
    const MessageIx ix = book_.find(ids[i]);
    if (ix != kNone) book_.message(ix).position = first.offset + first.index + i;
  }
  if (job_->carrying > 0 || !job_->scanned) return;
  job_->failed ? end() : write_checkpoint();
}

void Checkpointer::write_checkpoint() {
  std::string records, body;
  records::put_checkpoint(body, {job_->replay_from, parts_.clock.wall_ms()});
  append_record(records, RecordType::checkpoint, 0, body);
  parts_.ledger.submit_lazy(std::move(records), 1, [this](Fate fate, RecordRef) {
    hooks_.post([this, fate] { fate == Fate::ok ? record_replay_position() : end(); });
  });
}

void Checkpointer::record_replay_position() {
  jobs_.run(
      [this, from = std::to_string(job_->replay_from)] { return parts_.catalogue.put_value(kReplayFromKey, from); },
      [this](Fate fate) {
        if (fate == Fate::ok) {
          trim_journal();
          stats_.checkpoints.bump();
        }
        end();
      });
}

// Segments that nothing needs: no open message, no key and no query reaches back to them.
void Checkpointer::trim_journal() {
  const WallMs oldest = parts_.clock.wall_ms() - std::max(options_.query_window_ms, options_.idempotency_ms);
  uint64_t before = 0;
  for (const SegmentInfo& segment : job_->segments) {
    if (segment.live || segment.last_ms >= oldest || segment.end_offset > job_->replay_from) break;
    before = segment.end_offset;
  }
  if (before == 0) return;
  parts_.ledger.run_on_writer([before](Journal& journal) { (void)journal.trim(before); });
}

void Checkpointer::end() {
  const auto job = std::exchange(job_, nullptr);
  for (auto& done : job->done) done();
  if (next_.empty()) return;
  begin([waiting = std::exchange(next_, {})]() mutable {
    for (auto& done : waiting) done();
  });
}

// ---- The router's statistics

void Checkpointer::save_router() {
  const MonoNs now = parts_.clock.mono_ns();
  if (now < next_router_save_ns_ || parts_.ledger.poisoned()) return;
  const bool first = next_router_save_ns_ == 0;
  next_router_save_ns_ = now + options_.router_snapshot_every_ms * kNsPerMs;
  if (first && !stopping_) return;  // nothing learned yet
  jobs_.run([this, bytes = router_.save(
                       now, parts_.clock.wall_ms())] { return parts_.catalogue.put_value(kRouterKey, bytes); },
            [](Fate) {});
}

}  // namespace godwit::engine
