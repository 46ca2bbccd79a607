// OpenCalls: the calls of a service that have not been answered yet. Taking a call out is what makes its one answer:
// whoever takes it (the completion, or close) answers it, and everybody who comes later finds nothing.
//
// Safe from any thread.
#pragma once

#include <godwit/abi.h>

#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace godwit::channels {

template <class Call>
class OpenCalls {
 public:
  explicit OpenCalls(size_t limit) : limit_(limit) {}

  // GW_OK and the call's number (never 0), GW_E_CLOSED, or GW_E_BUSY beyond the limit.
  int32_t add(Call call, uint64_t& id) {
    std::lock_guard lock(mutex_);
    if (closed_) return GW_E_CLOSED;
    if (calls_.size() >= limit_) return GW_E_BUSY;
    id = ++last_;
    calls_.emplace(id, std::move(call));
    return GW_OK;
  }

  std::optional<Call> take(uint64_t id) {
    std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return std::nullopt;
    std::optional<Call> call(std::move(found->second));
    calls_.erase(found);
    return call;
  }

  // A look at a call that stays open; false if it is over.
  template <class F>
  bool with(uint64_t id, F look) {
    std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return false;
    look(found->second);
    return true;
  }
  template <class F>
  void for_each(F look) {
    std::lock_guard lock(mutex_);
    for (auto& [id, call] : calls_) look(id, call);
  }

  // Nothing is taken in any more.
  void shut() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // The same, and takes out everything.
  std::vector<Call> close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    std::vector<Call> rest;
    for (auto& [id, call] : calls_) rest.push_back(std::move(call));
    calls_.clear();
    return rest;
  }
  bool empty() const {
    std::lock_guard lock(mutex_);
    return calls_.empty();
  }

 private:
  const size_t limit_;
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, Call> calls_;  // guarded by mutex_
  uint64_t last_ = 0;                         // guarded by mutex_
  bool closed_ = false;                       // guarded by mutex_
};

}  // namespace godwit::channels
