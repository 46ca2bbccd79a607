// Does not know its own vendor's callback.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t parse(const gw_webhook_request*, const gw_webhook_sink*) override { return GW_E_INVALID; }
};
BAD_PLUGIN(Bad)
