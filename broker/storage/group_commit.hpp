// GroupCommit: one writer thread commits for everybody.
//
// Any thread submits encoded records with a completion; the writer takes everything that is queued (at most 4 MiB or
// 20,000 records), appends it as one batch, and runs the completions in submit order. While it appends, new work
// queues, so the batch size adapts to the flush time and no timer is needed. Work that nobody waits for (`lazy`) may
// stay up to 5 ms to ride with an urgent batch.
//
// Every completion runs exactly once, on the writer thread, also when the journal is poisoned or the writer stops.
// Completions must not block: they hand the answer on (a mailbox, an io_context).
#pragma once

#include <memory>
#include <string>

#include "broker/base/callback.hpp"
#include "broker/base/clock.hpp"
#include "broker/storage/journal.hpp"

namespace godwit {

// `first` names the first of the submitted records; meaningless unless fate is ok.
using Committed = Callback<void(Fate fate, RecordRef first)>;

struct GroupCommitLimits {
  uint64_t max_queued_bytes = 64u << 20;  // beyond it submit refuses: admission control
  uint32_t max_batch_bytes = 4u << 20;
  uint32_t max_batch_records = 20'000;
  int64_t lazy_wait_ms = 5;
};

class GroupCommit {
 public:
  // REQUIRES: `journal` is open; it and `clock` outlive this object.
  GroupCommit(Journal& journal, const Clock& clock, GroupCommitLimits limits = {});
  ~GroupCommit();  // stop()

  // Any thread, also from a completion. False when the queue is full or stop() was called: then `done` was not and will
  // not be called. `records` is a concatenation of `count` append_record() outputs; they stay together in one batch.
  // REQUIRES: count > 0
  [[nodiscard]] bool submit(std::string records, uint32_t count, Committed done);

  // The same for facts that nobody waits for (outcomes). Never refused for lack of room: they come from work that was
  // admitted already, and are taken until the last batch of stop(). After that `done` runs at once, here, with
  // `failed`. `done` may be empty.
  void submit_lazy(std::string records, uint32_t count, Committed done = {});

  // Any thread. Runs `job` on the writer thread between two batches (trim, checkpoint bookkeeping): before whatever is
  // queued now. A job that comes when the writer has ended is dropped without a run.
  void run_on_writer(Callback<void(Journal&)> job);

  // Commits what is queued, then joins the writer. Not from a completion or a job; a second call does nothing.
  void stop();

  // True from the first `unknown` or `fenced` on: nothing will ever be durable again in this process.
  bool poisoned() const;
  uint64_t queued_bytes() const;

  // For metrics: seconds of each commit and records in it; called on the writer thread. Set before the first submit.
  void on_commit(Callback<void(double seconds, uint32_t records, Fate)> observer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit
