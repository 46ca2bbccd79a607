/* godwit.kv/1 — a small durable store of its own for every channel instance. Host service.
 *
 * For what must outlive a restart and has no other home: an access token, a cursor. Keys up to 512 bytes, values up to
 * 64 KiB (bytes). A write is durable when `done` says GW_OK. Each accepted call ends in exactly one `done` on the lane.
 */
#ifndef GODWIT_EXT_KV_H
#define GODWIT_EXT_KV_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_SERVICE_KV "godwit.kv/1"

#define GW_KV_MAX_KEY 512u
#define GW_KV_MAX_VALUE 65536u

/* expected_version: compare-and-set */
#define GW_KV_ANY UINT64_MAX     /* write whatever is there */
#define GW_KV_ABSENT UINT64_C(0) /* only if there is nothing yet */

typedef struct gw_kv_entry {
  uint32_t size;
  uint32_t reserved;
  uint64_t version; /* 1.. */
  gw_str key;
  gw_str value; /* bytes */
} gw_kv_entry;

/* Valid during `done`. status: GW_OK; GW_E_NOT_FOUND (get, remove); GW_E_CONFLICT (entries[0] is what is there, if
 * anything is); GW_E_CLOSED; GW_E_IO (not written); GW_E_TIMEOUT (may or may not be written: get it again). */
typedef struct gw_kv_result {
  uint32_t size;
  int32_t status;
  const gw_kv_entry* const* entries; /* get, put: one (put: the new version, value absent); scan: in order of keys */
  uint32_t count;
  uint32_t more; /* scan: 1 = cut at `limit`; go on after the last key */
} gw_kv_result;

typedef void (*gw_kv_done)(void* arg, const gw_kv_result* result);

/* All [any-thread]; keys and values are copied. GW_OK = done will be called; else it will not. */
typedef struct gw_kv {
  uint32_t size;
  uint32_t reserved;
  void* ctx;
  int32_t (*get)(void* ctx, gw_str key, gw_kv_done done, void* arg);
  int32_t (*put)(void* ctx, gw_str key, gw_str value, uint64_t expected_version, gw_kv_done done, void* arg);
  int32_t (*remove)(void* ctx, gw_str key, uint64_t expected_version, gw_kv_done done, void* arg);
  /* Keys that begin with `prefix` and are greater than `after` (absent = from the start), at most `limit` (0 = 100). */
  int32_t (*scan)(void* ctx, gw_str prefix, gw_str after, uint32_t limit, gw_kv_done done, void* arg);
} gw_kv;

#ifdef __cplusplus
}
#endif
#endif
