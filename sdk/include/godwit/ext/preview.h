/* godwit.preview/1 — the vendor request as it would go out. Plugin extension, for dry runs and golden tests. */
#ifndef GODWIT_EXT_PREVIEW_H
#define GODWIT_EXT_PREVIEW_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_EXT_PREVIEW "godwit.preview/1"

typedef struct gw_preview_request {
  uint32_t size;
  uint32_t first_target; /* this request serves targets [first_target, first_target + target_count) */
  uint32_t target_count;
  uint32_t header_count;
  gw_str method; /* absent for channels that do not speak HTTP */
  gw_str url;
  const gw_str* headers; /* pairs; secrets replaced by "***" */
  gw_str body;
} gw_preview_request;

typedef struct gw_preview_sink {
  uint32_t size;
  uint32_t reserved;
  void* ctx;
  void (*request)(void* ctx, const gw_preview_request* request); /* once per vendor request; copied */
  const gw_diag* diag;                                           /* what was cut, what the vendor would refuse */
} gw_preview_sink;

typedef struct gw_preview {
  uint32_t size;
  uint32_t reserved;
  /* [any-thread] between create and stop; reads only what was fixed at start. GW_E_INVALID + diag = would be REJECTED.
   */
  int32_t (*render)(void* self, const gw_msg* message, const gw_preview_sink* sink);
} gw_preview;

#ifdef __cplusplus
}
#endif
#endif
