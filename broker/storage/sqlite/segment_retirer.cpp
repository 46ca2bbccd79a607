#include "broker/storage/sqlite/segment_retirer.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

#include "broker/base/thread.hpp"
#include "broker/storage/files.hpp"

namespace godwit {
namespace {

constexpr std::chrono::milliseconds kRetryPause{100};

void remove_segment_files(const std::filesystem::path& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code failed;
    std::filesystem::remove(path.string() + suffix, failed);
    if (failed) spdlog::error("journal: cannot remove the trimmed {}{}: {}", path.string(), suffix, failed.message());
  }
}

}  // namespace

SegmentRetirer::SegmentRetirer() {
  thread_ = start_thread("journal-retire", [this] { run(); });
}

SegmentRetirer::~SegmentRetirer() {
  stop();
}

void SegmentRetirer::retire(SegmentWriter writer, std::filesystem::path path) {
  std::lock_guard lock(mutex_);
  jobs_.push_back({std::move(path), std::move(writer), false});
  changed_.notify_all();
}

void SegmentRetirer::remove(std::filesystem::path path) {
  std::lock_guard lock(mutex_);
  for (Job& job : jobs_) {
    if (job.path != path) continue;
    job.writer.abandon();  // no need to tidy up what goes away
    job.is_removal = true;
    changed_.notify_all();
    return;
  }
  jobs_.push_back({std::move(path), {}, true});
  changed_.notify_all();
}

void SegmentRetirer::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return jobs_.empty() && !working_; });
}

void SegmentRetirer::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void SegmentRetirer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !jobs_.empty() || stopping_; });
    // One round over what is queued now; what has to wait goes to the end.
    bool waits = false;
    for (size_t left = jobs_.size(); left > 0 && !jobs_.empty(); --left) {
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      working_ = true;
      lock.unlock();
      const bool finished = finish(job);
      lock.lock();
      working_ = false;
      if (finished) continue;
      waits = true;
      jobs_.push_back(std::move(job));
    }
    changed_.notify_all();
    if (stopping_) break;
    if (waits) changed_.wait_for(lock, kRetryPause, [this] { return stopping_; });
  }
  // A log that could not be copied stays as it is; the next start copies it.
  for (Job& job : jobs_) job.writer.abandon();
  jobs_.clear();
  changed_.notify_all();
}

bool SegmentRetirer::finish(Job& job) {
  if (job.is_removal) {
    remove_segment_files(job.path);
    return true;
  }
  const Result<bool> waits = job.writer.retire();
  if (waits) return !*waits;
  if (waits.error().code == Code::no_space) return false;
  spdlog::error("journal: {} keeps its log until the next start: {}", job.path.string(), waits.error().message);
  job.writer.abandon();
  return true;
}

}  // namespace godwit
