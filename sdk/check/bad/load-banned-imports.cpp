// Changes the environment of the whole process.
#include <cstdlib>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t start() override {
    setenv("TZ", "Asia/Shanghai", 1);
    return Good::start();
  }
};
BAD_PLUGIN(Bad)
