// WorkerPool: a few threads that run tasks in the order in which they came.
//
// Lanes run on one, blocking work on another. Foreign code may hold a thread for ever; the pool then starts a spare in
// its place (at most three), and when it is stopped it leaves the held thread behind instead of waiting.
//
// Safe from any thread; stop from the owner only.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "broker/base/callback.hpp"

namespace godwit::channels {

class WorkerPool {
 public:
  WorkerPool(std::string name, unsigned threads);
  ~WorkerPool();  // stop without limit, if stop was not called
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Still taken while stop waits; dropped without being run afterwards.
  void post(Callback<void()> task);

  // A thread is held by foreign code: another takes its place until `unstuck` says that it came back.
  void stuck();
  void unstuck();

  // Runs what is queued, then ends the threads. False: some did not come back in time and were left behind; what their
  // tasks touch must then stay alive for ever.
  bool stop(std::chrono::milliseconds patience);

 private:
  struct State;
  static void work(State& state);
  // Shared with the threads, because one that is left behind still holds it when the pool is gone.
  std::shared_ptr<State> state_;
  bool stopped_ = false;
};

}  // namespace godwit::channels
