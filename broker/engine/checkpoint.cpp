// Checkpoints: what a restart has to replay is kept short, and old segments can go.
//
// One at a time, in slices on the engine's thread: the registry's dirty rows go to the catalogue (background), open
// messages that lie in old segments are written again (CARRY), then the replay position is recorded. A restart in the
// middle finds the old position, which is still true.
#include <algorithm>
#include <charconv>

#include "broker/engine/recovery.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kRows = 4'000;      // in one transaction of the catalogue
constexpr uint32_t kSlice = 20'000;  // messages looked at in a turn
constexpr size_t kCarryBytes = 1 << 20;

}  // namespace

struct Core::CheckpointJob {
  std::vector<Callback<void()>> done;
  std::vector<SegmentInfo> segments;
  uint64_t head = 0;          // everything below has reached this thread when the job began
  uint64_t carry_before = 0;  // open messages below are written again
  uint64_t replay_from = 0;
  uint32_t next = 0;      // message slot
  uint32_t carrying = 0;  // CARRY submissions on their way
  bool scanned = false, failed = false;
};

void Core::maybe_checkpoint() {
  if (checkpoint_job_ || recovering_) return;
  if (next_checkpoint_ns_ == 0) next_checkpoint_ns_ = now_ + options_.checkpoint_every_ms * kNsPerMs;
  const bool due = now_ >= next_checkpoint_ns_ || bytes_since_checkpoint_ >= options_.checkpoint_every_bytes;
  if (!due) return;
  next_checkpoint_ns_ = now_ + options_.checkpoint_every_ms * kNsPerMs;
  if (bytes_since_checkpoint_ == 0 && registry_.dirty() == 0) return;
  checkpoint({});
}

void Core::checkpoint(Callback<void()> done) {
  if (checkpoint_job_) {  // the one that runs may have passed what this caller wants to see written
    if (done) next_checkpoint_.push_back(std::move(done));
    return;
  }
  checkpoint_job_ = std::make_shared<CheckpointJob>();
  if (done) checkpoint_job_->done.push_back(std::move(done));
  bytes_since_checkpoint_ = 0;
  flush_records();
  save_router();
  // The writer's head is a place such that all completions before it are on their way to this thread before the answer.
  parts_.ledger.run_on_writer([this](Journal& journal) {
    post_([segments = journal.segments()](Core& core) mutable { core.begin_checkpoint(std::move(segments)); });
  });
}

void Core::begin_checkpoint(std::vector<SegmentInfo> segments) {
  CheckpointJob& job = *checkpoint_job_;
  job.segments = std::move(segments);
  job.head = job.segments.empty() ? 0 : job.segments.back().end_offset;
  job.replay_from = job.head;
  if (job.segments.size() >= 2) job.carry_before = job.segments[job.segments.size() - 2].first_offset;
  flush_rows();
}

void Core::flush_rows() {
  std::vector<DeviceRow> rows = registry_.take_dirty(kRows);
  if (rows.empty()) return carry_slice();
  auto shared = std::make_shared<std::vector<DeviceRow>>(std::move(rows));
  in_background([shared](const EngineParts& parts) { return parts.catalogue.put_devices(*shared); },
                [shared](Core& core, Fate fate) {
                  if (fate == Fate::ok) return core.flush_rows();
                  core.registry_.mark_dirty(*shared);
                  core.checkpoint_job_->failed = true;
                  core.end_checkpoint();
                });
}

// Looks at the next slice of messages: the old ones are carried, the place of the oldest is found.
void Core::carry_slice() {
  CheckpointJob& job = *checkpoint_job_;
  std::string records, body;
  std::vector<MessageId> carried;
  const uint32_t end = std::min(book_.messages().slots(), job.next + kSlice);
  for (; job.next < end && records.size() < kCarryBytes; ++job.next) {
    if (!book_.messages().alive(job.next)) continue;
    const MessageEntry& m = book_.message(job.next);
    if (m.complete) continue;
    if (m.position >= job.carry_before) {
      job.replay_from = std::min(job.replay_from, m.position);
      continue;
    }
    body.clear();
    carry_message(m, body);
    append_record(records, RecordType::carry, static_cast<uint16_t>(m.message->id.vshard()), body);
    carried.push_back(m.message->id);
  }
  job.scanned = job.next >= book_.messages().slots();
  if (!carried.empty()) {
    ++job.carrying;
    stats_.carried.bump(carried.size());
    flush_records();  // what was said before stands before
    const auto count = static_cast<uint32_t>(carried.size());
    parts_.ledger.submit_lazy(std::move(records), count,
                              [this, carried = std::move(carried)](Fate fate, RecordRef first) {
                                post_([carried, fate, first](Core& core) { core.on_carried(carried, fate, first); });
                              });
  }
  if (!job.scanned) return post_([](Core& core) { core.carry_slice(); });
  if (job.carrying == 0) write_checkpoint();
}

void Core::on_carried(const std::vector<MessageId>& ids, Fate fate, RecordRef first) {
  CheckpointJob& job = *checkpoint_job_;
  --job.carrying;
  if (fate != Fate::ok) job.failed = true;
  for (size_t i = 0; i < ids.size() && fate == Fate::ok; ++i) {
    const MessageIx ix = book_.find(ids[i]);
    if (ix != kNone) book_.message(ix).position = first.offset + first.index + i;
  }
  if (job.carrying > 0 || !job.scanned) return;
  if (job.failed) return end_checkpoint();
  write_checkpoint();
}

void Core::write_checkpoint() {
  std::string records;
  body_buffer_.clear();
  records::put_checkpoint(body_buffer_, {checkpoint_job_->replay_from, wall_});
  append_record(records, RecordType::checkpoint, 0, body_buffer_);
  parts_.ledger.submit_lazy(std::move(records), 1, [this](Fate fate, RecordRef) {
    post_([fate](Core& core) {
      if (fate == Fate::ok) return core.record_replay_position();
      core.checkpoint_job_->failed = true;
      core.end_checkpoint();
    });
  });
}

void Core::record_replay_position() {
  in_background([from = std::to_string(checkpoint_job_->replay_from)](
                    const EngineParts& parts) { return parts.catalogue.put_value(kReplayFromKey, from); },
                [](Core& core, Fate fate) {
                  if (fate == Fate::ok) {
                    core.trim_journal();
                    core.stats_.checkpoints.bump();
                  }
                  core.end_checkpoint();
                });
}

// Segments that nothing needs: no open message, no key and no query reaches back to them.
void Core::trim_journal() {
  const CheckpointJob& job = *checkpoint_job_;
  const WallMs oldest = wall_ - std::max(options_.query_window_ms, options_.idempotency_ms);
  uint64_t before = 0;
  for (const SegmentInfo& segment : job.segments) {
    if (segment.live || segment.last_ms >= oldest || segment.end_offset > job.replay_from) break;
    before = segment.end_offset;
  }
  if (before == 0) return;
  parts_.ledger.run_on_writer([before](Journal& journal) { (void)journal.trim(before); });
}

void Core::end_checkpoint() {
  const auto job = std::exchange(checkpoint_job_, nullptr);
  for (auto& done : job->done) done();
  if (next_checkpoint_.empty()) return;
  std::vector<Callback<void()>> waiting = std::move(next_checkpoint_);
  next_checkpoint_.clear();
  checkpoint([waiting = std::move(waiting)]() mutable {
    for (auto& done : waiting) done();
  });
}

void Core::carry_message(const MessageEntry& m, std::string& body) const {
  records::Carry carry;
  carry.message = *m.message;
  carry.planned = m.planned;
  carry.cancelled = m.cancelled;
  if (m.fanout) {
    carry.fanout = records::Cursor{m.message->id, m.fanout->next, m.fanout->planned, m.fanout->done};
    carry.dropped.resize(9);
    if (m.dropped) std::copy(m.dropped->begin(), m.dropped->end(), carry.dropped.begin());
  }
  for (DeliveryIx i = m.first; i != kNone; i = book_.delivery(i).next) {
    const Delivery& d = book_.delivery(i);
    if (m.fanout && d.final) {
      ++carry.dropped[static_cast<size_t>(d.state)];  // counted, not named: they will not be planned again
      continue;
    }
    fill_progress(m, d, carry.deliveries.emplace_back());
  }
  records::put_carry(body, carry);
}

// ---- The router's statistics

void Core::save_router() {
  if (now_ < next_router_save_ns_ || parts_.ledger.poisoned()) return;
  const bool first = next_router_save_ns_ == 0;
  next_router_save_ns_ = now_ + options_.router_snapshot_every_ms * kNsPerMs;
  if (first && !stopping_) return;  // nothing learned yet
  in_background([bytes = router_.save(now_, wall_)](
                    const EngineParts& parts) { return parts.catalogue.put_value(kRouterKey, bytes); },
                [](Core&, Fate) {});
}

}  // namespace godwit::engine
