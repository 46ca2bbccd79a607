// Lane: a queue of tasks with at most one worker inside, so that a plugin's author needs no lock.
//
// Tasks run in the order in which they were posted, on changing threads of the pool, never two at once. A task that
// takes long is noticed twice: by the lane when it ends (10 ms), and by whoever calls `watch` now and then while it
// still runs (1 s, 30 s). A lane gives its worker back after 2 ms if it still has work, so that busy lanes share
// fairly.
//
// post, inside, running: any thread. The pool and the owner outlive the lane, and the lane must be quiet (closed,
// nothing queued or running) when it is destroyed.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>

#include "broker/base/callback.hpp"
#include "broker/base/clock.hpp"
#include "broker/channels/worker_pool.hpp"

namespace godwit::channels {

class Lane {
 public:
  static constexpr MonoNs kWarnNs = 10 * kNsPerMs;
  static constexpr MonoNs kMisbehavingNs = kNsPerSecond;
  static constexpr MonoNs kHungNs = 30 * kNsPerSecond;

  // What the lane tells its owner. `what` names the task: "submit", "on_timer", …
  class Owner {
   public:
    virtual void task_ended(const char* what, MonoNs took, bool more_follow) = 0;  // on the lane
    virtual void task_slow(const char* what, MonoNs since) = 0;                    // in watch, once a task
    virtual void task_hung(const char* what, MonoNs since) = 0;                    // in watch, once a task
    virtual void task_came_back(const char* what, MonoNs took) = 0;                // after task_hung, once

   protected:
    ~Owner() = default;
  };

  Lane(WorkerPool& pool, const Clock& clock, Owner& owner) : pool_(pool), clock_(clock), owner_(owner) {}
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // False once closed: the task was dropped.
  bool post(const char* what, Callback<void()> task);

  // From now on posts are refused; what is queued still runs.
  void close();

  bool inside() const;  // this thread is in this lane now
  size_t queued() const;

  // Notices a task that runs for too long. By one thread at a time.
  void watch(MonoNs now);

 private:
  struct Task {
    const char* what;
    Callback<void()> run;
  };
  void run_slice();
  bool next(Task& task);
  void came_back(uint64_t number, const char* what, MonoNs took);

  WorkerPool& pool_;
  const Clock& clock_;
  Owner& owner_;

  mutable std::mutex mutex_;
  std::deque<Task> queue_;  // guarded by mutex_
  bool scheduled_ = false;  // guarded by mutex_: a worker is inside or on its way
  bool closed_ = false;     // guarded by mutex_

  // What runs now, for watch: a task's number is set last, and 0 first.
  std::atomic<uint64_t> running_{0};
  std::atomic<const char*> what_{nullptr};
  std::atomic<MonoNs> since_{0};
  std::atomic<uint64_t> hung_{0};  // the number of the task that was reported hung
  uint64_t tasks_ = 0;             // on the lane
  uint64_t slow_ = 0;              // watch's own
};

}  // namespace godwit::channels
