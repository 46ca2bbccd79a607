// Poller: epoll with a wake-up, for a thread that owns descriptors and also takes orders from other threads.
//
// One thread calls wait; set, remove and wake are safe from any thread. It owns neither the descriptors nor a thread.
// An event names the descriptor only: one that was closed and reused in between may bring an event that belongs to its
// predecessor, so readers must take "not ready after all" calmly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace godwit::net {

class Poller {
 public:
  static constexpr uint32_t kRead = 1, kWrite = 2, kError = 4;
  struct Ready {
    int fd;
    uint32_t events;
  };

  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Adds or changes what is wanted of `fd`. One shot: silent after one event until set again. Answers 0 or an errno.
  int set(int fd, uint32_t events, bool one_shot = false);
  void remove(int fd);  // a descriptor that is gone already is fine

  // Waits until something is ready, wake() was called, or the time is over (-1: no limit). Valid until the next wait.
  std::span<const Ready> wait(int timeout_ms);
  void wake();

 private:
  const int epoll_;
  const int wake_;
  std::vector<Ready> ready_;
};

}  // namespace godwit::net
