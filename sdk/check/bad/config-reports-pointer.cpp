// Refuses without saying which property.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t configure(gw_str config, const gw_diag* diag) override {
    int32_t status = parse_config(config, nullptr);
    if (status != GW_OK && diag) diag->report(diag->ctx, GW_DIAG_ERROR, gw_str{}, bad::str("bad config"));
    return status;
  }
};
BAD_PLUGIN(Bad)
