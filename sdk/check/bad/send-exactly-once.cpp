// Settles some messages twice.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t submit(const gw_batch* batch) override { return ++batches_, Good::submit(batch); }
  void finish(const gw_msg* message, uint32_t disposition) override {
    uint64_t ticket = message->ticket;
    Good::finish(message, disposition);
    if (batches_ > 3 && disposition == GW_ACCEPTED) settle(ticket, GW_UNKNOWN, "");
  }
  int batches_ = 0;
};
BAD_PLUGIN(Bad)
