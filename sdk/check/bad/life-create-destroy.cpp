// Says good-bye to a host that may be gone already.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  ~Bad() override { host_.log(host_.ctx, GW_LOG_INFO, bad::str("good-bye"), nullptr, 0); }
};
BAD_PLUGIN(Bad)
