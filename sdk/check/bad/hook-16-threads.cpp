// Parses in one shared place, so two callbacks at once disturb each other.
#include <sched.h>

#include <atomic>

#include "good.hpp"
static std::atomic<int> inside = 0;
struct Bad : bad::Good {
  using Good::Good;
  int32_t parse(const gw_webhook_request* request, const gw_webhook_sink* sink) override {
    bool is_alone = ++inside == 1;
    for (int i = 0; i < 3; ++i) sched_yield();
    int32_t status = is_alone ? Good::parse(request, sink) : GW_E_INVALID;
    --inside;
    return status;
  }
};
BAD_PLUGIN(Bad)
