// Instance is what this layer keeps for one channel instance: the host's table and the count of what is in flight.
//
// Plugin authors never touch it; Host, Batch and the service wrappers are the faces of it. It is made before the
// channel and freed after it (in `destroy`), so everything that a channel owns may hold a pointer to it.
//
// Safe from any thread. After close() no function of the host is called any more.
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <godwit/event.hpp>
#include <godwit/outcome.hpp>
#include <godwit/table.hpp>
#include <godwit/text.hpp>

namespace godwit {
inline namespace sdk {

// A function object on the heap (see task.hpp), and one that can be run without knowing its type.
struct Boxed {
  virtual ~Boxed() = default;
};
struct Task : Boxed {
  virtual void run() = 0;
};

class Instance {
 public:
  Instance(const gw_host* host, uint32_t default_window) : host_(import_table(host)), default_window_(default_window) {}
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const gw_host& host() const { return host_; }
  bool is_closed() const { return closed_.load(std::memory_order_acquire); }
  void close() { closed_.store(true, std::memory_order_release); }

  // ---- in flight ----
  void took(uint32_t messages) { in_flight_.fetch_add(messages, std::memory_order_relaxed); }
  void gave_back(uint32_t messages) {
    if (in_flight_.fetch_sub(messages, std::memory_order_acq_rel) == messages) say_drained_if_so();
  }
  uint32_t in_flight() const { return in_flight_.load(std::memory_order_acquire); }

  void drain_when_settled() {
    draining_.store(true, std::memory_order_seq_cst);
    if (in_flight() == 0) say_drained_if_so();
  }

  void settle(const gw_outcome& outcome) {
    const gw_outcome* list[] = {&outcome};
    settle(list, 1);
  }
  void settle(const gw_outcome* const* outcomes, uint32_t count) {
    if (!is_closed()) host_.settle(host_.ctx, outcomes, count);
  }

  // ---- state ----
  // READY without a window of its own means: as much as the caps allow.
  int32_t set_state(uint32_t state, std::string_view reason) {
    if (state == GW_STATE_READY && !window_set_.exchange(true)) host_.set_window(host_.ctx, default_window_);
    return host_.set_state(host_.ctx, state, str(reason));
  }
  int32_t set_window(uint32_t messages) {
    window_set_.store(true);
    return host_.set_window(host_.ctx, messages);
  }

  // ---- timers with a function instead of a cookie; our cookies have the top bit set ----
  static constexpr uint64_t kOwnCookie = UINT64_C(1) << 63;
  uint64_t after(uint64_t delay_ns, std::unique_ptr<Task> task) {
    uint64_t cookie;
    {
      std::lock_guard lock(mutex_);
      cookie = kOwnCookie | ++last_cookie_;
      tasks_.emplace(cookie, std::move(task));
    }
    uint64_t id = host_.timer_arm(host_.ctx, delay_ns, cookie);
    if (id == 0) take_task(cookie);
    return id;
  }
  std::unique_ptr<Task> take_task(uint64_t cookie) {
    std::lock_guard lock(mutex_);
    auto it = tasks_.find(cookie);
    if (it == tasks_.end()) return nullptr;
    auto task = std::move(it->second);
    tasks_.erase(it);
    return task;
  }
  // Timers that will not fire any more; what their functions hold dies here.
  void drop_tasks() {
    std::unordered_map<uint64_t, std::unique_ptr<Task>> gone;
    std::lock_guard lock(mutex_);
    gone.swap(tasks_);
  }

  void log(int32_t level, std::string_view text) const {
    if (!is_closed()) host_.log(host_.ctx, level, str(text), nullptr, 0);
  }

  // Runs f where an exception has nobody to go to: it is logged, with `what` as the place.
  template <class F>
  void guard(const char* what, F&& f) noexcept {
    try {
      f();
    } catch (const std::exception& e) {
      log_exception(what, e.what());
    } catch (...) {
      log_exception(what, "not a std::exception");
    }
  }

 private:
  void say_drained_if_so() {
    if (draining_.load(std::memory_order_seq_cst) && !drained_.exchange(true) && !is_closed()) host_.drained(host_.ctx);
  }
  void log_exception(const char* what, const char* text) const noexcept {
    try {
      log(GW_LOG_ERROR, std::string("exception in ") + what + ": " + text);
    } catch (...) {  // out of memory while saying so
    }
  }

  const gw_host host_;
  const uint32_t default_window_;
  std::atomic<uint32_t> in_flight_ = 0;
  std::atomic<bool> draining_ = false, drained_ = false, window_set_ = false, closed_ = false;
  std::mutex mutex_;
  std::unordered_map<uint64_t, std::unique_ptr<Task>> tasks_;  // by cookie; guarded by mutex_
  uint64_t last_cookie_ = 0;                                   // guarded by mutex_
};

}  // namespace sdk
}  // namespace godwit
