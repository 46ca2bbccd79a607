// A ChannelSink that keeps what it is told, and lets a test wait until enough has come.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include "broker/channels/port.hpp"

namespace godwit::channels {

class RecordingSink final : public ChannelSink {
 public:
  void settled(std::vector<Settlement> settlements) override {
    std::lock_guard lock(mutex_);
    ++batches_;
    for (Settlement& s : settlements) {
      order_.push_back("settled " + s.vendor_id);
      settlements_.push_back(std::move(s));
    }
    changed_.notify_all();
  }
  bool events(std::vector<ChannelEvent> events) override {
    std::lock_guard lock(mutex_);
    if (busy_) {
      ++refused_;
      changed_.notify_all();
      return false;
    }
    for (ChannelEvent& e : events) {
      order_.push_back("event " + e.vendor_id);
      events_.push_back(std::move(e));
    }
    changed_.notify_all();
    return true;
  }
  void room(ChannelNo) override {
    std::lock_guard lock(mutex_);
    ++rooms_;
    changed_.notify_all();
  }

  void be_busy(bool busy) {
    std::lock_guard lock(mutex_);
    busy_ = busy;
  }

  // Waits for at most 10 s; answers what is there then.
  std::vector<Settlement> wait_settlements(size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return settlements_.size() >= n; });
    return settlements_;
  }
  std::vector<ChannelEvent> wait_events(size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return events_.size() >= n; });
    return events_;
  }
  template <class Condition>
  bool wait(Condition condition) {  // evaluated whenever the sink was called
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }
  int refused() const { return refused_; }  // inside wait only
  int rooms() const { return rooms_; }      // inside wait only
  size_t batches() {
    std::lock_guard lock(mutex_);
    return batches_;
  }
  std::vector<std::string> order() {
    std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  static constexpr std::chrono::seconds kPatience{10};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Settlement> settlements_;
  std::vector<ChannelEvent> events_;
  std::vector<std::string> order_;
  size_t batches_ = 0;
  int rooms_ = 0, refused_ = 0;
  bool busy_ = false;
};

}  // namespace godwit::channels
