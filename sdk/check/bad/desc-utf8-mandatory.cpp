// Its name is Latin-1.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  static constexpr bad::Description describe(bad::Description d) { return d.name = bad::str("Caf\xe9"), d; }
};
BAD_PLUGIN(Bad)
