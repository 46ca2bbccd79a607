// Never says that it is drained.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void drain() override {}
};
BAD_PLUGIN(Bad)
