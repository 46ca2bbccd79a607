// Says READY whether it has its key or not.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void got_secret(int32_t) override { Good::got_secret(GW_OK); }
};
BAD_PLUGIN(Bad)
