#include "sdk/testhost/lane.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace godwit::testhost {

void Lane::post(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(task));
}

bool Lane::is_inside() const {
  std::lock_guard lock(mutex_);
  return inside_ == std::this_thread::get_id();
}

bool Lane::is_empty() const {
  std::lock_guard lock(mutex_);
  return queue_.empty();
}

void Lane::run_inside(const std::function<void()>& f) {
  if (is_inside()) return f();
  auto call = [&] {
    {
      std::lock_guard lock(mutex_);
      inside_ = std::this_thread::get_id();
    }
    auto begin = std::chrono::steady_clock::now();
    f();
    auto took = std::chrono::steady_clock::now() - begin;
    longest_ns_ = std::max<uint64_t>(longest_ns_, std::chrono::nanoseconds(took).count());
    std::lock_guard lock(mutex_);
    inside_ = {};
  };
  if (migrate_)
    std::thread(call).join();
  else
    call();
}

bool Lane::run() {
  bool ran = false;
  for (;;) {
    std::function<void()> task;
    {
      std::lock_guard lock(mutex_);
      if (queue_.empty()) return ran;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    run_inside(task);
    ran = true;
  }
}

}  // namespace godwit::testhost
