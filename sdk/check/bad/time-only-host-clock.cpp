// Asks the operating system for the time.
#include <ctime>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  std::string event_id(const std::string& vendor_id) override {
    return vendor_id + "-" + std::to_string(time(nullptr));
  }
};
BAD_PLUGIN(Bad)
