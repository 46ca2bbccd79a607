/* godwit.topics/1 — the vendor's own topics. Plugin extension. */
#ifndef GODWIT_EXT_TOPICS_H
#define GODWIT_EXT_TOPICS_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_EXT_TOPICS "godwit.topics/1"

/* On the lane. `failed` holds the indices of the addresses that the vendor refused. */
typedef void (*gw_topics_done)(void* arg, int32_t status, const uint32_t* failed, uint32_t failed_count, gw_str detail);

typedef struct gw_topics {
  uint32_t size;
  uint32_t max_addresses; /* per call; 0 = no limit */
  /* [lane] GW_OK: done will be called exactly once, before stop returns. Arguments are borrowed for the call. */
  int32_t (*subscribe)(void* self, gw_str topic, const gw_str* addresses, uint32_t count, gw_topics_done done,
                       void* arg);
  int32_t (*unsubscribe)(void* self, gw_str topic, const gw_str* addresses, uint32_t count, gw_topics_done done,
                         void* arg);
} gw_topics;

#ifdef __cplusplus
}
#endif
#endif
