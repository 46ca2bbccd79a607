// Keeps its state in the thread that happened to call create.
#include "good.hpp"
static thread_local uint64_t* counter = nullptr;
struct Bad : bad::Good {
  explicit Bad(const gw_host* host) : Good(host) { counter = &number_; }
  int32_t submit(const gw_batch* batch) override {
    ++*counter;
    return Good::submit(batch);
  }
};
BAD_PLUGIN(Bad)
