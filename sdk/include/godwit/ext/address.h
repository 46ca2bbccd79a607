/* godwit.address/1 — checks the shape of a registration token before it is stored. Plugin extension. */
#ifndef GODWIT_EXT_ADDRESS_H
#define GODWIT_EXT_ADDRESS_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_EXT_ADDRESS "godwit.address/1"

typedef struct gw_address {
  uint32_t size;
  uint32_t max_bytes; /* longest address; 0 = no limit of its own */
  /* [any-thread] Needs no instance, does no I/O. GW_OK, or GW_E_INVALID + diag that says what a right one looks like.
   */
  int32_t (*check)(gw_str address, const gw_diag* diag);
} gw_address;

#ifdef __cplusplus
}
#endif
#endif
