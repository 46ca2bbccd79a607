// Throws away what the host has no room for.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void send_event(uint32_t kind, std::string vendor_id) override {
    std::string id = event_id(vendor_id);
    (void)try_event({kind, std::move(vendor_id), std::move(id)});
  }
};
BAD_PLUGIN(Bad)
