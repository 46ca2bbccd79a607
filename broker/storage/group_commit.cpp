#include "broker/storage/group_commit.hpp"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/base/thread.hpp"

namespace godwit {

struct GroupCommit::Impl {
  struct Submission {
    std::string records;
    uint32_t count;
    bool lazy;
    MonoNs queued_ns;
    Committed done;
  };

  Impl(Journal& journal, const Clock& clock, GroupCommitLimits limits)
      : journal(journal), clock(clock), limits(limits), lazy_wait_ns(limits.lazy_wait_ms * kNsPerMs) {}

  bool put(Submission submission);
  void run();
  void take_inbox();
  void run_jobs();
  bool must_commit();
  void commit_one_batch();
  bool wait_for_work();  // false: stopped, and nothing can come any more

  Journal& journal;
  const Clock& clock;
  const GroupCommitLimits limits;
  const MonoNs lazy_wait_ns;
  std::atomic<uint64_t> queued_bytes{0};  // from submit until its batch is committed
  std::atomic<bool> poisoned{false};

  std::mutex mutex;  // guards the next block; never held while anything is written or completed
  std::condition_variable work;
  std::vector<Submission> inbox;
  std::vector<Callback<void(Journal&)>> jobs;
  bool inbox_is_urgent = false;
  bool asleep = false;          // the writer waits for anything at all
  bool asleep_on_lazy = false;  // ... or only for company of lazy work: more lazy work does not wake it
  bool stopping = false;
  bool closed = false;

  // The writer's own.
  std::vector<Submission> pending;
  size_t at = 0;           // pending[at..] is still to be committed
  size_t urgent_left = 0;  // of those, how many somebody waits for
  std::string buffer;
  Callback<void(double, uint32_t, Fate)> observer;

  std::thread thread;
};

GroupCommit::GroupCommit(Journal& journal, const Clock& clock, GroupCommitLimits limits)
    : impl_(std::make_unique<Impl>(journal, clock, limits)) {
  impl_->thread = start_thread("journal", [impl = impl_.get()] { impl->run(); });
}

GroupCommit::~GroupCommit() {
  stop();
}

bool GroupCommit::submit(std::string records, uint32_t count, Committed done) {
  assert(count > 0);
  const uint64_t bytes = records.size();
  if (impl_->queued_bytes.fetch_add(bytes) + bytes > impl_->limits.max_queued_bytes) {
    impl_->queued_bytes -= bytes;
    return false;
  }
  if (!impl_->put({std::move(records), count, false, 0, std::move(done)})) {
    impl_->queued_bytes -= bytes;
    return false;
  }
  return true;
}

void GroupCommit::submit_lazy(std::string records, uint32_t count, Committed done) {
  assert(count > 0);
  const uint64_t bytes = records.size();
  impl_->queued_bytes += bytes;
  Impl::Submission submission{std::move(records), count, true, impl_->clock.mono_ns(), std::move(done)};
  {
    std::lock_guard lock(impl_->mutex);
    if (!impl_->closed) {
      impl_->inbox.push_back(std::move(submission));
      if (impl_->asleep) impl_->work.notify_one();
      return;
    }
  }
  impl_->queued_bytes -= bytes;
  if (submission.done) submission.done(Fate::failed, {});
}

bool GroupCommit::Impl::put(Submission submission) {
  std::lock_guard lock(mutex);
  if (stopping) return false;
  inbox.push_back(std::move(submission));
  inbox_is_urgent = true;
  if (asleep || asleep_on_lazy) work.notify_one();
  return true;
}

void GroupCommit::run_on_writer(Callback<void(Journal&)> job) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->closed) return;
  impl_->jobs.push_back(std::move(job));
  impl_->work.notify_one();
}

void GroupCommit::stop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->work.notify_one();
  }
  if (impl_->thread.joinable()) impl_->thread.join();
}

bool GroupCommit::poisoned() const {
  return impl_->poisoned;
}
uint64_t GroupCommit::queued_bytes() const {
  return impl_->queued_bytes;
}
void GroupCommit::on_commit(Callback<void(double, uint32_t, Fate)> observer) {
  impl_->observer = std::move(observer);
}

void GroupCommit::Impl::run() {
  do {
    take_inbox();
    run_jobs();
    if (must_commit()) commit_one_batch();
  } while (wait_for_work());
}

void GroupCommit::Impl::take_inbox() {
  if (at == pending.size()) {
    pending.clear();
    at = 0;
  }
  const size_t had = pending.size();
  {
    std::lock_guard lock(mutex);
    if (had == 0) {
      pending.swap(inbox);  // both keep their capacity, so a busy writer allocates nothing here
    } else {
      pending.insert(pending.end(), std::make_move_iterator(inbox.begin()), std::make_move_iterator(inbox.end()));
      inbox.clear();
    }
    inbox_is_urgent = false;
  }
  for (size_t i = had; i < pending.size(); ++i) urgent_left += pending[i].lazy ? 0 : 1;
}

void GroupCommit::Impl::run_jobs() {
  std::vector<Callback<void(Journal&)>> now;
  {
    std::lock_guard lock(mutex);
    now.swap(jobs);
  }
  for (auto& job : now) job(journal);
}

// Urgent work goes at once. Lazy work goes when it waited long enough, fills a batch, or nothing will come after it.
bool GroupCommit::Impl::must_commit() {
  if (at == pending.size()) return false;
  if (urgent_left > 0) return true;
  if (clock.mono_ns() - pending[at].queued_ns >= lazy_wait_ns) return true;
  uint64_t bytes = 0, records = 0;
  for (size_t i = at; i < pending.size(); ++i) {
    bytes += pending[i].records.size();
    records += pending[i].count;
    if (bytes >= limits.max_batch_bytes || records >= limits.max_batch_records) return true;
  }
  std::lock_guard lock(mutex);
  return stopping;
}

void GroupCommit::Impl::commit_one_batch() {
  // As many whole submissions as fit; the first always goes, so that an oversized one cannot block the queue.
  size_t end = at;
  uint64_t bytes = 0;
  uint32_t records = 0;
  while (end < pending.size()) {
    const Submission& next = pending[end];
    if (end > at && (bytes + next.records.size() > limits.max_batch_bytes ||
                     uint64_t{records} + next.count > limits.max_batch_records)) {
      break;
    }
    bytes += next.records.size();
    records += next.count;
    ++end;
  }
  std::string_view batch = pending[at].records;
  if (end - at > 1) {
    buffer.clear();
    for (size_t i = at; i < end; ++i) buffer += pending[i].records;
    batch = buffer;
  }

  const MonoNs started_ns = clock.mono_ns();
  const Appended appended = journal.append(batch, records, clock.wall_ms());
  if (appended.fate == Fate::unknown || appended.fate == Fate::fenced) poisoned = true;
  if (observer) {
    observer(static_cast<double>(clock.mono_ns() - started_ns) / kNsPerSecond, records, appended.fate);
  }

  queued_bytes -= bytes;  // before the completions: one that submits again must find the room that it left
  uint32_t index = 0;
  for (; at < end; ++at) {
    Submission done = std::move(pending[at]);
    urgent_left -= done.lazy ? 0 : 1;
    if (done.done) done.done(appended.fate, RecordRef{appended.offset, index});
    index += done.count;
  }
}

bool GroupCommit::Impl::wait_for_work() {
  const size_t left = pending.size() - at;
  if (urgent_left > 0) return true;
  std::unique_lock lock(mutex);
  if (inbox_is_urgent || !jobs.empty()) return true;
  if (stopping) {
    if (left > 0 || !inbox.empty()) return true;
    closed = true;  // under the lock: whatever comes later is refused, not forgotten
    return false;
  }
  if (left == 0) {
    asleep = true;
    work.wait(lock, [this] { return !inbox.empty() || !jobs.empty() || stopping; });
    asleep = false;
    return true;
  }
  const MonoNs wait_ns = pending[at].queued_ns + lazy_wait_ns - clock.mono_ns();
  if (wait_ns <= 0) return true;
  // Woken by urgent work, a job or stop, not by more lazy work: that is looked at when the time is over. The wait is
  // real time even under a ManualClock: it only decides when the clock is looked at again.
  asleep_on_lazy = true;
  work.wait_for(lock, std::chrono::nanoseconds(wait_ns));
  asleep_on_lazy = false;
  return true;
}

}  // namespace godwit
