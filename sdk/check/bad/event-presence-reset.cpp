// Reports presence without a beginning.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  void send_event(uint32_t kind, std::string vendor_id) override {
    if (kind != GW_EVENT_PRESENCE_RESET) Good::send_event(kind, std::move(vendor_id));
  }
};
BAD_PLUGIN(Bad)
