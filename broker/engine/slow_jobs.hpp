// SlowJobs: work that may block (the catalogue's writes, searches of the journal), away from the engine's thread and
// one after another, and what that thread does with the result.
//
// Each job's `then` runs once on the engine's thread, unless the engine stops before. Engine's thread only.
#pragma once

#include <functional>
#include <utility>

#include "broker/base/callback.hpp"

namespace godwit::engine {

class SlowJobs {
 public:
  using Run = std::function<void(Callback<void()>)>;
  SlowJobs(Run in_background, Run on_engine_thread)
      : in_background_(std::move(in_background)), on_engine_thread_(std::move(on_engine_thread)) {}

  template <class Job, class Then>
  void run(Job job, Then then) {
    in_background_([this, job = std::move(job), then = std::move(then)]() mutable {
      auto result = job();
      on_engine_thread_([then = std::move(then), result = std::move(result)]() mutable { then(std::move(result)); });
    });
  }

 private:
  const Run in_background_, on_engine_thread_;
};

}  // namespace godwit::engine
