// IoLoop: one thread that waits for descriptors on behalf of all plugins, one shot at a time.
//
// A descriptor may have several watches, of different owners: a listening socket while a channel is reloaded. The
// newest one gets the events; when it goes, the one before it is armed again as it was.
//
// Safe from any thread. `ready` runs on the loop's thread and must only hand on; it may still run once while `remove`
// is called. Nothing runs after stop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "broker/net/poller.hpp"

namespace godwit::channels {

class IoLoop {
 public:
  IoLoop();
  ~IoLoop();

  using Ready = std::function<void(uint32_t events)>;  // net::Poller's bits
  // Answers 0 for a descriptor that cannot be watched or that this owner watches already.
  uint64_t add(const void* owner, int fd, uint32_t events, Ready ready);
  bool rearm(uint64_t id, uint32_t events);
  void remove(uint64_t id);
  void stop();

 private:
  struct Watch {
    const void* owner;
    int fd;
    uint32_t events;                     // 0: not armed
    std::shared_ptr<const Ready> ready;  // shared with the call that may be running
  };
  void run();
  net::Poller poller_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, Watch> watches_;           // guarded by mutex_
  std::unordered_map<int, std::vector<uint64_t>> by_fd_;  // guarded by mutex_; the newest last
  uint64_t last_ = 0;                                     // guarded by mutex_
  bool stopping_ = false;                                 // guarded by mutex_
  std::thread thread_;
};

}  // namespace godwit::channels
