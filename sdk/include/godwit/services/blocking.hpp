// Blocking work off the lane (godwit.blocking/1): `work` on a pool thread, then `done(int32_t status)` on the lane.
//
// done comes exactly once: GW_OK, or the reason why work did not run (GW_E_CLOSED, GW_E_BUSY, GW_E_UNSUPPORTED), then
// perhaps before this returns. An exception out of work is logged and given to done as GW_E_INTERNAL.
#pragma once

#include <utility>

#include <godwit/ext/blocking.h>
#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

template <class Work, class Done>
void run_blocking(Host host, Work&& work, Done&& done) {
  struct Job {
    Instance* instance;
    std::decay_t<Work> work;
    std::decay_t<Done> done;
    bool failed;
  };
  auto table = host.service<gw_blocking>(GW_SERVICE_BLOCKING);
  auto* job = new Job{host.instance(), std::forward<Work>(work), std::forward<Done>(done), true};
  constexpr auto on_pool = [](void* arg) {
    auto* job = static_cast<Job*>(arg);
    job->instance->guard("blocking work", [job] {
      job->work();
      job->failed = false;
    });
  };
  constexpr auto on_lane = [](void* arg, int32_t status) {
    auto* job = static_cast<Job*>(arg);
    if (status == GW_OK && job->failed) status = GW_E_INTERNAL;
    job->instance->guard("a blocking callback", [&] { job->done(status); });
    delete job;
  };
  int32_t status = table.run ? table.run(table.ctx, on_pool, on_lane, job) : GW_E_UNSUPPORTED;
  if (status != GW_OK) on_lane(job, status);
}

}  // namespace sdk
}  // namespace godwit
