// Believes that a required property is always there.
#include <cstdlib>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t configure(gw_str config, const gw_diag* diag) override {
    if (bad::view(config).find("\"origin\"") == std::string_view::npos && bad::view(config).starts_with("{"))
      std::abort();
    return parse_config(config, diag);
  }
};
BAD_PLUGIN(Bad)
