// Opens a file at each start and forgets it.
#include <fcntl.h>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t start() override { return open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0 ? Good::start() : GW_E_IO; }
};
BAD_PLUGIN(Bad)
