// Its stop waits for an answer that was cancelled: it hangs for ever when it is stopped before READY.
#include <poll.h>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void got_ping(const gw_http_response& response) override {
    was_cancelled_ = response.status == GW_E_CLOSED;
    Good::got_ping(response);
  }
  void stop() override {
    while (was_cancelled_) poll(nullptr, 0, 1000);
    Good::stop();
  }
  bool was_cancelled_ = false;
};
BAD_PLUGIN(Bad)
