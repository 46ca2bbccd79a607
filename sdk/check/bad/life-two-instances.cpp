// Keeps its host in a global, so the second instance takes the first one's outcomes away.
#include "good.hpp"
static gw_host the_host;
struct Bad : bad::Good {
  explicit Bad(const gw_host* host) : Good(host) { the_host = host_; }
  int32_t submit(const gw_batch* batch) override {
    host_ = the_host;
    return Good::submit(batch);
  }
};
BAD_PLUGIN(Bad)
