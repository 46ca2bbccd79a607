// Leaves a thread behind.
#include <poll.h>

#include <thread>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t start() override {
    std::thread([] { poll(nullptr, 0, -1); }).detach();
    return Good::start();
  }
};
BAD_PLUGIN(Bad)
