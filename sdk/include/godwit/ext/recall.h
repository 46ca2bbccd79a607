/* godwit.recall/1 — takes back what the vendor has or the device shows. Plugin extension, goes with GW_CAP_RECALL. */
#ifndef GODWIT_EXT_RECALL_H
#define GODWIT_EXT_RECALL_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_EXT_RECALL "godwit.recall/1"

typedef struct gw_recall_request {
  uint32_t size;
  uint32_t flags;
  gw_str message_id;
  gw_str app_id;
  gw_str vendor_id;        /* of the outcome that took it */
  const gw_target* target; /* NULL = everybody who got this vendor_id */
} gw_recall_request;

/* On the lane. GW_OK = the vendor took the wish; GW_E_NOT_FOUND = too late or unknown to it. */
typedef void (*gw_recall_done)(void* arg, int32_t status, gw_str detail);

typedef struct gw_recall {
  uint32_t size;
  uint32_t reserved;
  /* [lane] GW_OK: done will be called exactly once, before stop returns. The request is borrowed for the call. */
  int32_t (*recall)(void* self, const gw_recall_request* request, gw_recall_done done, void* arg);
} gw_recall;

#ifdef __cplusplus
}
#endif
#endif
