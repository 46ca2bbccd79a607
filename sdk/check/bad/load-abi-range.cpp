// Asks for a host that does not exist yet.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  static constexpr bad::Description describe(bad::Description d) { return d.min_host_minor = 99, d; }
};
BAD_PLUGIN(Bad)
