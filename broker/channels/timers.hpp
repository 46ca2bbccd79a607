// Timers: one thread that calls functions at their time. They must be short; whatever takes long is posted elsewhere.
//
// Safe from any thread. A function may run while cancel is called for it; cancel says whether it was in time.
// With a clock that a test turns by hand there is no thread, and run_due fires what is due.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "broker/base/callback.hpp"
#include "broker/base/clock.hpp"

namespace godwit::channels {

class Timers {
 public:
  Timers(const Clock& clock, bool manual);
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  uint64_t arm(MonoNs at, Callback<void()> fn);    // never answers 0
  bool cancel(uint64_t id);                        // true: it will not run
  void every(MonoNs period, Callback<void()> fn);  // until stop

  void run_due();
  void stop();  // nothing runs afterwards

 private:
  using Key = std::pair<MonoNs, uint64_t>;
  void run();
  void repeat(std::shared_ptr<Callback<void()>> fn, MonoNs period);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Callback<void()>> waiting_;      // guarded by mutex_
  std::unordered_map<uint64_t, MonoNs> due_at_;  // guarded by mutex_
  uint64_t last_ = 0;                            // guarded by mutex_
  bool stopping_ = false;                        // guarded by mutex_
  std::thread thread_;
};

}  // namespace godwit::channels
