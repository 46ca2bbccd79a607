// Reads nested JSON by recursion without a limit.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  static size_t depth(const char* at, const char* end) {
    volatile char frame[1024] = {};
    while (at != end && *at != '[') ++at;
    return at == end ? static_cast<size_t>(frame[0]) : 1 + depth(at + 1, end) + static_cast<size_t>(frame[1]);
  }
  int32_t configure(gw_str config, const gw_diag* diag) override {
    return depth(config.ptr, config.ptr + config.len) > 1'000'000 ? GW_E_INVALID : parse_config(config, diag);
  }
};
BAD_PLUGIN(Bad)
