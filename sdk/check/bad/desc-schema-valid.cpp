// Its schema lacks the last bracket.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  static constexpr bad::Description describe(bad::Description d) { return d.schema.len -= 1, d; }
};
BAD_PLUGIN(Bad)
