// Blocks the lane for more than a second when it is reconfigured.
#include <poll.h>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t reconfigure(gw_str config, const gw_diag* diag) override {
    poll(nullptr, 0, 1200);
    return Good::reconfigure(config, diag);
  }
};
BAD_PLUGIN(Bad)
