/* godwit.io/1 — file descriptors on the lane, and listening sockets that outlive the plugin. Host service.
 *
 * A channel to which devices connect asks for its listening sockets here: the host owns them, so they survive a reload
 * of the plugin and, in process mode, its crash (clients wait in the backlog instead of being refused). */
#ifndef GODWIT_EXT_IO_H
#define GODWIT_EXT_IO_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_SERVICE_IO "godwit.io/1"

#define GW_IO_READ 1u
#define GW_IO_WRITE 2u
#define GW_IO_ERROR 4u /* only reported */

/* On the lane: what is ready, or status GW_E_CLOSED as the last call (unwatched or stopping). */
typedef void (*gw_io_fn)(void* arg, int32_t status, uint32_t ready);

typedef struct gw_listener_options {
  uint32_t size;
  uint32_t index;   /* 0..: sockets of one name and different index share the address (SO_REUSEPORT): one per reactor */
  gw_str name;      /* "tcp", "tls": stable over reloads; the same (name, address, index) gives the same socket */
  gw_str address;   /* "127.0.0.1:1883", "[::1]:1883"; port 0 = any, see bound_port */
  uint32_t backlog; /* 0 = the host's default */
  uint32_t reserved;
} gw_listener_options;

typedef struct gw_io {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* [any-thread] Watches a non-blocking descriptor that the plugin owns. One shot: after a call, rearm asks for the
   * next. unwatch before closing the descriptor; the last call with GW_E_CLOSED still comes. */
  int32_t (*watch)(void* ctx, int32_t fd, uint32_t interest, gw_io_fn fn, void* arg, uint64_t* id);
  int32_t (*rearm)(void* ctx, uint64_t id, uint32_t interest);
  void (*unwatch)(void* ctx, uint64_t id);

  /* [any-thread] From start on. `*fd` is a bound, listening, non-blocking, close-on-exec TCP socket: accept() on it
   * from any thread, until stop returns; never close it. GW_E_IO + diag when the address is taken or not allowed. */
  int32_t (*listener)(void* ctx, const gw_listener_options* options, const gw_diag* diag, int32_t* fd,
                      uint32_t* bound_port);
} gw_io;

#ifdef __cplusplus
}
#endif
#endif
