// Joins its thread in destroy instead of stop; until then the thread goes on talking to the host.
#include <poll.h>

#include <atomic>
#include <thread>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  ~Bad() override {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int32_t start() override {
    thread_ = std::thread([this] {
      for (; !ends_; poll(nullptr, 0, 5))
        if (stopped_) host_.log(host_.ctx, GW_LOG_INFO, bad::str("still here"), nullptr, 0);
    });
    return Good::start();
  }
  void stop() override {
    Good::stop();
    stopped_ = true;
  }
  std::atomic<bool> ends_ = false, stopped_ = false;
  std::thread thread_;
};
BAD_PLUGIN(Bad)
