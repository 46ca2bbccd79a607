// Calls a function that nobody has, and was linked without -z defs.
#include "good.hpp"
void nobody_has_this();
struct Bad : bad::Good {
  using Good::Good;
  void drain() override { nobody_has_this(); }
};
BAD_PLUGIN(Bad)
