// Settles inside submit and looks at the message once more.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void take(const gw_msg* message) override {
    finish(message, GW_ACCEPTED);
    if (message->attempt > 100) ++number_;
  }
};
BAD_PLUGIN(Bad)
