// Promises recall and has no function for it.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  static constexpr bad::Description describe(bad::Description d) { return d.caps.flags |= GW_CAP_RECALL, d; }
};
BAD_PLUGIN(Bad)
