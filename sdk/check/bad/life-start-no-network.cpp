// Calls for an operator when only the network is gone.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void got_ping(const gw_http_response& response) override {
    if (response.status == GW_E_IO) host_.set_state(host_.ctx, GW_STATE_FAILED, bad::str("no connection"));
    Good::got_ping(response);
  }
};
BAD_PLUGIN(Bad)
