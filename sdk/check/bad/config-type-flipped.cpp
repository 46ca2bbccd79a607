// Believes that a property always has its type.
#include <cstdlib>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t configure(gw_str config, const gw_diag* diag) override {
    if (bad::view(config).find("\"origin\":12345") != std::string_view::npos) std::abort();
    return parse_config(config, diag);
  }
};
BAD_PLUGIN(Bad)
