#include "broker/channels/worker_pool.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/base/thread.hpp"

namespace godwit::channels {

constexpr unsigned kMaxSpares = 3;

struct WorkerPool::State {
  State(std::string name, unsigned wanted) : name(std::move(name)), wanted(wanted) {}
  const std::string name;
  const unsigned wanted;

  std::mutex mutex;
  std::condition_variable work_came, worker_left;
  std::deque<Callback<void()>> tasks;
  std::vector<std::thread> threads;
  unsigned alive = 0, started = 0, stuck = 0;
  bool stopping = false;

  // REQUIRES: mutex held.
  void start(const std::shared_ptr<State>& self) {
    ++alive;
    threads.push_back(start_thread(name + "-" + std::to_string(++started), [self] { work(*self); }));
  }
};

WorkerPool::WorkerPool(std::string name, unsigned threads)
    : state_(std::make_shared<State>(std::move(name), std::max(threads, 1u))) {
  std::lock_guard lock(state_->mutex);
  for (unsigned i = 0; i < state_->wanted; ++i) state_->start(state_);
}

WorkerPool::~WorkerPool() {
  if (!stopped_) stop(std::chrono::hours(24));
}

void WorkerPool::work(State& state) {
  std::unique_lock lock(state.mutex);
  while (true) {
    state.work_came.wait(lock, [&] { return !state.tasks.empty() || state.stopping; });
    if (state.tasks.empty()) break;
    {
      Callback<void()> task = std::move(state.tasks.front());
      state.tasks.pop_front();
      lock.unlock();
      task();
    }  // destroyed without the lock: what it owns may post
    lock.lock();
    if (state.alive > state.wanted + state.stuck) break;  // a held thread came back: one too many
  }
  --state.alive;
  state.worker_left.notify_all();
}

void WorkerPool::post(Callback<void()> task) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->alive == 0) return;  // stopped: nobody would run it
    state_->tasks.push_back(std::move(task));
  }
  state_->work_came.notify_one();
}

void WorkerPool::stuck() {
  std::lock_guard lock(state_->mutex);
  if (state_->stopping || state_->stuck >= kMaxSpares) return;
  ++state_->stuck;
  state_->start(state_);
}

void WorkerPool::unstuck() {
  std::lock_guard lock(state_->mutex);
  if (state_->stuck > 0) --state_->stuck;
}

bool WorkerPool::stop(std::chrono::milliseconds patience) {
  stopped_ = true;
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->work_came.notify_all();
  const bool all_left = state_->worker_left.wait_for(lock, patience, [&] { return state_->alive == 0; });
  std::vector<std::thread> threads = std::move(state_->threads);
  state_->threads.clear();
  lock.unlock();
  for (std::thread& thread : threads) {
    if (all_left)
      thread.join();
    else
      thread.detach();
  }
  return all_left;
}

}  // namespace godwit::channels
