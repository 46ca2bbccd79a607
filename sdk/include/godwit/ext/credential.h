/* godwit.credential/1 — checks a device credential without a look-up. Host service, for channels to which devices
 * connect.
 *
 * The HTTP API gives a device a signed token when it registers; a gateway takes it as the password and asks here whose
 * it is. A pure computation (a signature, a clock): microseconds, no I/O. */
#ifndef GODWIT_EXT_CREDENTIAL_H
#define GODWIT_EXT_CREDENTIAL_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_SERVICE_CREDENTIAL "godwit.credential/1"

#define GW_CREDENTIAL_BUFFER 1024u /* always enough */

/* The caller gives the memory that the strings will point into, so nothing depends on threads or later calls: zero the
 * struct, set size, buffer and buffer_size. */
typedef struct gw_credential {
  uint32_t size;
  uint32_t buffer_size; /* in */
  char* buffer;         /* in */
  gw_str app_id;
  gw_str device_id;
  gw_str address;      /* gw_target.address and gw_event.address of this device on a gateway channel */
  uint64_t generation; /* grows when the device registers anew: an older one may not take over a newer connection */
  uint64_t expires_wall_ms; /* 0 = never */
  gw_str reason;            /* for GW_E_DENIED: why, for logs: "expired", "bad signature", ...; never tell the device */
} gw_credential;

typedef struct gw_credentials {
  uint32_t size;
  uint32_t reserved;
  void* ctx;
  /* [any-thread] GW_OK: all fields are filled. GW_E_DENIED: only `reason` is. GW_E_INVALID: the buffer is missing or
   * too small. */
  int32_t (*verify)(void* ctx, gw_str credential, gw_credential* out);
} gw_credentials;

#ifdef __cplusplus
}
#endif
#endif
