#include "broker/channels/lane.hpp"

#include <cassert>

namespace godwit::channels {
namespace {

constexpr MonoNs kSliceNs = 2 * kNsPerMs;

thread_local const Lane* current_lane = nullptr;  // ours, not a plugin's: set and cleared around each slice

}  // namespace

Lane::~Lane() {
  assert(!scheduled_ && queue_.empty());
}

bool Lane::post(const char* what, Callback<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    queue_.push_back({what, std::move(task)});
    if (scheduled_) return true;
    scheduled_ = true;
  }
  pool_.post([this] { run_slice(); });
  return true;
}

void Lane::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

bool Lane::inside() const {
  return current_lane == this;
}

size_t Lane::queued() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

bool Lane::next(Task& task) {
  std::lock_guard lock(mutex_);
  if (queue_.empty()) {
    scheduled_ = false;  // from here on another worker may come in: nothing of the lane may be touched any more
    return false;
  }
  task = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void Lane::run_slice() {
  current_lane = this;
  MonoNs now = clock_.mono_ns();
  const MonoNs slice_ends = now + kSliceNs;
  Task task{};
  while (next(task)) {
    const uint64_t number = ++tasks_;
    what_.store(task.what, std::memory_order_relaxed);
    since_.store(now, std::memory_order_relaxed);
    running_.store(number, std::memory_order_release);
    task.run();
    task.run = nullptr;
    running_.store(0);

    const MonoNs began = now;
    now = clock_.mono_ns();
    came_back(number, task.what, now - began);
    owner_.task_ended(task.what, now - began, queued() > 0);
    if (now >= slice_ends && queued() > 0) {
      current_lane = nullptr;
      pool_.post([this] { run_slice(); });  // still scheduled: nobody else comes in meanwhile
      return;
    }
  }
  current_lane = nullptr;
}

// Whoever takes the mark of a hung task away, the lane or the watch that just put it there, answers for its return.
void Lane::came_back(uint64_t number, const char* what, MonoNs took) {
  uint64_t marked = number;
  if (!hung_.compare_exchange_strong(marked, 0)) return;
  pool_.unstuck();
  owner_.task_came_back(what, took);
}

void Lane::watch(MonoNs now) {
  const uint64_t number = running_.load(std::memory_order_acquire);
  if (number == 0) return;
  const MonoNs since = since_.load(std::memory_order_relaxed);
  const char* what = what_.load(std::memory_order_relaxed);
  // If another task began meanwhile, what was read may be a mixture: look again next time.
  std::atomic_thread_fence(std::memory_order_acquire);
  if (running_.load(std::memory_order_relaxed) != number) return;

  const MonoNs took = now - since;
  if (took >= kMisbehavingNs && slow_ != number) {
    slow_ = number;
    owner_.task_slow(what, took);
  }
  if (took >= kHungNs && hung_.load() != number) {
    pool_.stuck();
    owner_.task_hung(what, took);
    hung_.store(number);
    if (running_.load() != number) came_back(number, what, took);  // it ended just now and may not have seen the mark
  }
}

}  // namespace godwit::channels
