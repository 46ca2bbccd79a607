// Measures waiting by the wall clock.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t submit(const gw_batch* batch) override {
    submitted_ms_ = host_.now_wall_ms(host_.ctx);
    return Good::submit(batch);
  }
  void on_timer() override {
    if (host_.now_wall_ms(host_.ctx) >= submitted_ms_)
      Good::on_timer();
    else
      host_.timer_arm(host_.ctx, 1000 * bad::kMs, 0);
  }
  uint64_t submitted_ms_ = 0;
};
BAD_PLUGIN(Bad)
