/* godwit.blocking/1 — a pool of the host for file reads and other work that would hold the lane. Host service. */
#ifndef GODWIT_EXT_BLOCKING_H
#define GODWIT_EXT_BLOCKING_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_SERVICE_BLOCKING "godwit.blocking/1"

typedef struct gw_blocking {
  uint32_t size;
  uint32_t reserved;
  void* ctx;
  /* [any-thread] GW_OK: fn(arg) runs on a pool thread, then done(arg, GW_OK) on the lane, exactly once. If the instance
   * stops before fn began, fn does not run and done gets GW_E_CLOSED; if it is running, stop waits for it. fn must not
   * touch what belongs to the lane. Else (GW_E_BUSY, GW_E_CLOSED): neither is called. */
  int32_t (*run)(void* ctx, void (*fn)(void* arg), void (*done)(void* arg, int32_t status), void* arg);
} gw_blocking;

#ifdef __cplusplus
}
#endif
#endif
