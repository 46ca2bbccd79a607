// Wants more messages than its own caps allow.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void open_window() override { host_.set_window(host_.ctx, 1000); }
};
BAD_PLUGIN(Bad)
