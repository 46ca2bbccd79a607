// Loses what does not fit its own list of 100.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  static constexpr bad::Description describe(bad::Description d) { return d.caps.max_window = 256, d; }
  int32_t submit(const gw_batch* batch) override {
    gw_batch first = *batch;
    if (first.count > 100) first.count = 100;
    return Good::submit(&first);
  }
};
BAD_PLUGIN(Bad)
