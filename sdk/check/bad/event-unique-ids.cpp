// Numbers its events from 1 in every life.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  std::string event_id(const std::string&) override { return "event-" + std::to_string(++events_so_far_); }
  uint64_t events_so_far_ = 0;
};
BAD_PLUGIN(Bad)
