// Remembers the last message for its statistics and reads it when the next one comes.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void take(const gw_msg* message) override {
    if (last_ && last_->attempt > 100) ++number_;
    last_ = message;
    Good::take(message);
  }
  int32_t submit(const gw_batch* batch) override {
    int32_t status = Good::submit(batch);
    return status;
  }
  const gw_msg* last_ = nullptr;
};
BAD_PLUGIN(Bad)
