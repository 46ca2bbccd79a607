// Counts its instances in the process and has had enough after thirty.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t configure(gw_str config, const gw_diag* diag) override {
    static int lives = 0;
    return ++lives > 30 ? GW_E_BUSY : parse_config(config, diag);
  }
};
BAD_PLUGIN(Bad)
