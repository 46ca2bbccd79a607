/* godwit.secret/1 — secrets by name. Host service.
 *
 * A configuration property with "format": "godwit-secret" reaches the plugin as a name; the value comes from here and
 * may change while running (a rotated key file). Values are never logged and never kept longer than needed. */
#ifndef GODWIT_EXT_SECRET_H
#define GODWIT_EXT_SECRET_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_SERVICE_SECRET "godwit.secret/1"

/* On the lane. `value` (bytes) is valid during the call. status: GW_OK, GW_E_NOT_FOUND, GW_E_IO (file unreadable),
 * GW_E_CLOSED. `version` grows with every change. */
typedef void (*gw_secret_fn)(void* arg, int32_t status, gw_str value, uint64_t version);

/* All [any-thread]. */
typedef struct gw_secret {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* GW_OK: done is called exactly once. */
  int32_t (*get)(void* ctx, gw_str name, gw_secret_fn done, void* arg);

  /* GW_OK: `changed` is called with the present value first, then after every change, until unwatch or stop. While
   * stopping it is called a last time with GW_E_CLOSED, so that `arg` can be freed. `*id` is never 0. */
  int32_t (*watch)(void* ctx, gw_str name, gw_secret_fn changed, void* arg, uint64_t* id);

  /* The last call with GW_E_CLOSED still comes, on the lane. */
  void (*unwatch)(void* ctx, uint64_t id);
} gw_secret;

#ifdef __cplusplus
}
#endif
#endif
