/* godwit.webhook/1 — turns a vendor's callback into events. Plugin extension, goes with GW_CAP_WEBHOOK.
 *
 * The host takes /v1/callbacks/<instance>/<tail>, limits size and rate, calls `parse`, stores the events in one
 * transaction and only then sends the reply: a vendor's 200 means durable, replays are dropped by event_id. */
#ifndef GODWIT_EXT_WEBHOOK_H
#define GODWIT_EXT_WEBHOOK_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_EXT_WEBHOOK "godwit.webhook/1"

#define GW_METHOD_GET 1u
#define GW_METHOD_POST 2u
#define GW_METHOD_PUT 4u
#define GW_METHOD_DELETE 8u
#define GW_METHOD_HEAD 16u
#define GW_METHOD_PATCH 32u

typedef struct gw_webhook_request {
  uint32_t size;
  uint32_t method;       /* one GW_METHOD_* */
  gw_str tail;           /* what follows the instance's name in the path, without the leading '/' */
  gw_str query;          /* raw, without '?' */
  const gw_str* headers; /* pairs; names in lower case */
  uint32_t header_count;
  uint32_t reserved;
  gw_str body; /* raw bytes, as signed by the vendor */
  gw_str remote_ip;
  uint64_t received_wall_ms; /* use it instead of the clock, so that parsing can be replayed */
} gw_webhook_request;

typedef struct gw_webhook_reply {
  uint32_t size;
  uint32_t http_status;
  const gw_str* headers; /* pairs */
  uint32_t header_count;
  uint32_t reserved;
  gw_str body;
} gw_webhook_reply;

typedef struct gw_webhook_sink {
  uint32_t size;
  uint32_t reserved;
  void* ctx;
  void (*event)(void* ctx, const gw_event* event); /* once per event, in order; copied */
  void (*reply)(void* ctx,
                const gw_webhook_reply* reply); /* at most once; default: 200 / 403 DENIED / 400 INVALID, empty */
  const gw_diag* diag;                          /* why it was refused; for logs, never for the vendor */
} gw_webhook_sink;

typedef struct gw_webhook {
  uint32_t size;
  uint32_t methods;  /* mask of GW_METHOD_* */
  uint32_t max_body; /* bytes; longer bodies are refused before parse */
  uint32_t reserved;
  /* [any-thread], concurrent with the lane and with itself, between start and stop. A function of its arguments and of
   * what was fixed at start (or is swapped atomically). GW_OK: the events count. GW_E_DENIED (signature), GW_E_INVALID:
   * none. */
  int32_t (*parse)(void* self, const gw_webhook_request* request, const gw_webhook_sink* sink);
} gw_webhook;

#ifdef __cplusplus
}
#endif
#endif
