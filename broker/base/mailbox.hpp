// Mailbox<T>: many threads put, one thread takes everything at once. It is how work reaches a thread that owns state
// (the engine, the journal writer): the lock is held for a push or a swap, never while anything is processed, and a
// busy owner pays one lock for a whole batch.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace godwit {

template <class T>
class Mailbox {
 public:
  // Any thread. Wakes the owner only when it may be asleep.
  void put(T item) {
    bool wake;
    {
      std::lock_guard lock(mutex_);
      items_.push_back(std::move(item));
      wake = waiting_;
    }
    if (wake) ready_.notify_one();
  }

  // Owner only. Swaps everything that waits into `out` (cleared first; its capacity is recycled). Waits up to `wait`
  // for the first item; returns false when nothing came.
  bool take(std::vector<T>& out, std::chrono::nanoseconds wait) {
    out.clear();
    std::unique_lock lock(mutex_);
    if (items_.empty() && wait.count() > 0 && !poked_) {
      waiting_ = true;
      ready_.wait_for(lock, wait, [this] { return !items_.empty() || poked_; });
      waiting_ = false;
    }
    poked_ = false;
    out.swap(items_);
    return !out.empty();
  }

  // Any thread. Makes a waiting take() return, for instance to look at a stop flag.
  void poke() {
    {
      std::lock_guard lock(mutex_);
      poked_ = true;
    }
    ready_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<T> items_;
  bool waiting_ = false;
  bool poked_ = false;
};

}  // namespace godwit
