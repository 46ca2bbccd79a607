#include "broker/channels/timers.hpp"

#include <algorithm>
#include <chrono>

#include "broker/base/thread.hpp"

namespace godwit::channels {

Timers::Timers(const Clock& clock, bool manual) : clock_(clock) {
  if (!manual) thread_ = start_thread("timers", [this] { run(); });
}

Timers::~Timers() {
  stop();
}

uint64_t Timers::arm(MonoNs at, Callback<void()> fn) {
  std::lock_guard lock(mutex_);
  const uint64_t id = ++last_;
  const auto place = waiting_.emplace(Key{at, id}, std::move(fn)).first;
  due_at_.emplace(id, at);
  if (place == waiting_.begin()) changed_.notify_one();
  return id;
}

bool Timers::cancel(uint64_t id) {
  Callback<void()> dropped;  // destroyed after the lock is gone
  std::lock_guard lock(mutex_);
  const auto found = due_at_.find(id);
  if (found == due_at_.end()) return false;
  const auto place = waiting_.find(Key{found->second, id});
  dropped = std::move(place->second);
  waiting_.erase(place);
  due_at_.erase(found);
  return true;
}

void Timers::every(MonoNs period, Callback<void()> fn) {
  repeat(std::make_shared<Callback<void()>>(std::move(fn)), period);
}

void Timers::repeat(std::shared_ptr<Callback<void()>> fn, MonoNs period) {
  arm(clock_.mono_ns() + period, [this, fn, period] {
    (*fn)();
    repeat(fn, period);
  });
}

void Timers::run_due() {
  std::unique_lock lock(mutex_);
  const MonoNs now = clock_.mono_ns();  // once: a function that arms "at once" again must not keep us here
  const uint64_t newest = last_;
  for (auto it = waiting_.begin(); !stopping_ && it != waiting_.end() && it->first.first <= now;) {
    if (it->first.second > newest) {
      ++it;
      continue;
    }
    Callback<void()> fn = std::move(it->second);
    due_at_.erase(it->first.second);
    waiting_.erase(it);
    lock.unlock();
    fn();
    fn = nullptr;
    lock.lock();
    it = waiting_.begin();
  }
}

void Timers::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const MonoNs left = waiting_.begin()->first.first - clock_.mono_ns();
    if (left > 0) {
      changed_.wait_for(lock, std::chrono::nanoseconds(std::min(left, kNsPerSecond)));
      continue;
    }
    lock.unlock();
    run_due();
    lock.lock();
  }
}

void Timers::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace godwit::channels
