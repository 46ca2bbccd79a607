// Lane is the test host's queue of work for one channel instance, run by whoever calls run().
//
// Fakes post closures from any thread; the test's thread runs them, so a test decides when anything happens. `thread`
// can be told to change at each call, as a real lane's OS thread does.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace godwit::testhost {

class Lane {
 public:
  // Any thread.
  void post(std::function<void()> task);
  bool is_inside() const;  // this thread runs something of this lane right now
  bool is_empty() const;

  // Runs f as the lane would. Nested calls run in place.
  void run_inside(const std::function<void()>& f);
  // Runs what is queued, and what that queues, until nothing is left. True if anything ran.
  bool run();

  // Every run_inside on a fresh OS thread.
  void migrate_threads(bool on) { migrate_ = on; }

  // The longest time that one call held the lane.
  uint64_t longest_ns() const { return longest_ns_; }

 private:
  mutable std::mutex mutex_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  std::thread::id inside_;                   // guarded by mutex_
  bool migrate_ = false;
  uint64_t longest_ns_ = 0;
};

}  // namespace godwit::testhost
