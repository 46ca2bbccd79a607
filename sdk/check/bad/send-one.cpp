// Invents a disposition.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void finish(const gw_msg* message, uint32_t) override { Good::finish(message, 77); }
};
BAD_PLUGIN(Bad)
