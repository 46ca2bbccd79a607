// health reads what the lane writes. Only a build with -fsanitize=thread can see it.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t health(const gw_diag* out) override {
    std::string waiting = std::to_string(waiting_.size());
    if (out) out->report(out->ctx, GW_DIAG_INFO, bad::str("waiting"), bad::str(waiting));
    return GW_OK;
  }
};
BAD_PLUGIN(Bad)
