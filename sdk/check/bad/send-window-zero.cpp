// READY, but nobody may send.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void open_window() override {}
};
BAD_PLUGIN(Bad)
