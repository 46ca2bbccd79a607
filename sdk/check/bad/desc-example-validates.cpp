// Its example contradicts its schema.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  static constexpr bad::Description describe(bad::Description d) {
    return d.example = bad::str(R"({"origin": "https://vendor.example", "key": "vendor-key", "limit": "seven"})"), d;
  }
};
BAD_PLUGIN(Bad)
