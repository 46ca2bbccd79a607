// cancel settles, and the vendor's answer settles again.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void cancel(uint64_t ticket) override {
    for (const gw_msg* message : waiting_)
      if (message->ticket == ticket) settle(ticket, GW_CANCELLED, "");
  }
};
BAD_PLUGIN(Bad)
