// Waits ten seconds for the vendor, whatever the deadline says.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  uint64_t latency_ns() override { return 10'000 * bad::kMs; }
};
BAD_PLUGIN(Bad)
