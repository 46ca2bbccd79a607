// Refuses a batch in the middle, after it settled the beginning.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t submit(const gw_batch* batch) override {
    for (uint32_t i = 0; i < batch->count; ++i) {
      if (bad::view(batch->msgs[i]->vendor_options) == "[1, 2") return GW_E_INVALID;
      if (batch->count > 1)
        finish(batch->msgs[i], GW_ACCEPTED);
      else
        take(batch->msgs[i]);
    }
    host_.timer_arm(host_.ctx, latency_ns(), 0);
    return GW_OK;
  }
  // cancel has nothing to do for what is settled
};
BAD_PLUGIN(Bad)
