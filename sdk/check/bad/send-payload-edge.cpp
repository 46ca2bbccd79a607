// Has a buffer that is one byte too small.
#include <cstdlib>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void take(const gw_msg* message) override {
    if (message->content.len >= bad::Edge<Bad>::described.caps.max_payload_bytes) std::abort();
    Good::take(message);
  }
};
BAD_PLUGIN(Bad)
