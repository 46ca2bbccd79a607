// SendQueue: what waits for one channel instance, most urgent first, oldest first within a priority.
//
// It holds numbers of attempts only. What ends before its turn (cancelled, expired, delivered otherwise) stays in the
// queue and is thrown away when it comes up: `live` is what counts. One owner.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "broker/message/message.hpp"

namespace godwit::dispatch {

class SendQueue {
 public:
  void push(uint32_t attempt, Priority priority) {
    queues_[static_cast<size_t>(priority)].push_back(attempt);
    ++size_;
  }
  // Back to the head of its priority: it was taken, but the channel had no room after all, or it waits for its turn
  // again after the channel asked for a pause.
  void push_front(uint32_t attempt, Priority priority) {
    queues_[static_cast<size_t>(priority)].push_front(attempt);
    ++size_;
  }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // REQUIRES: !empty()
  uint32_t front() const { return first().front(); }
  uint32_t pop() {
    std::deque<uint32_t>& queue = first();
    const uint32_t attempt = queue.front();
    queue.pop_front();
    --size_;
    return attempt;
  }

 private:
  std::deque<uint32_t>& first() {
    for (auto& queue : queues_)
      if (!queue.empty()) return queue;
    return queues_.back();
  }
  const std::deque<uint32_t>& first() const { return const_cast<SendQueue*>(this)->first(); }

  std::array<std::deque<uint32_t>, 4> queues_;
  size_t size_ = 0;
};

}  // namespace godwit::dispatch
