/* A Godwit device: holds the long connection, shows each message once, reports what became of it.
 *
 *   gwd_options o = GWD_OPTIONS_INIT;
 *   o.host = "push.example"; o.port = 8883; o.tls = 1;
 *   o.app = "shop"; o.device_id = "phone-1"; o.credential = "gwd1....";
 *   o.on_message = show;
 *   gwd_device* d = gwd_open(&o);
 *
 * The library connects by itself and again whenever the connection is lost. Callbacks run on the library's thread, one
 * at a time; they may call every function but gwd_close. Strings that are given in are copied; those of a callback are
 * valid until it returns. */
#ifndef GODWIT_DEVICE_H
#define GODWIT_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gwd_device gwd_device;

typedef enum gwd_state {
  GWD_WAITING = 0, /* off line; tries again by itself */
  GWD_CONNECTING = 1,
  GWD_CONNECTED = 2,
  GWD_REFUSED = 3 /* the credential is not taken: register again, then gwd_set_credential */
} gwd_state;

typedef struct gwd_options {
  size_t size; /* sizeof(gwd_options) */
  const char* host;
  uint16_t port;
  int tls;             /* 1: TLS, the certificate is checked for `host` */
  const char* ca_file; /* PEM; NULL: the system's */
  const char* app;
  const char* device_id;
  const char* credential;
  /* Where shown ids and unsent events are kept over restarts. NULL: in memory only. */
  const char* memory_file;
  /* A new message: its id and the JSON that the broker sent ({"message_id","notification","data","sent_at"}). When this
   * returns, the broker is told that the message was delivered. Never called twice for one id. */
  void (*on_message)(gwd_device* device, void* user, const char* message_id, const char* json, size_t json_size);
  void (*on_state)(gwd_device* device, void* user, gwd_state state, const char* why); /* may be NULL */
  void* user;
} gwd_options;

#define GWD_OPTIONS_INIT \
  { sizeof(gwd_options), 0, 1883, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* NULL when a needed option is missing; `error` (may be NULL) then says which. */
gwd_device* gwd_open(const gwd_options* options, const char** error);

/* What the person did with a message: "displayed", "opened", "dismissed". Kept until the broker has taken it, also over
 * a restart when there is a memory file; at most 1000 are kept. 0, or -1 for another word. */
int gwd_report(gwd_device* device, const char* message_id, const char* event);

/* How many reports the broker has not taken yet. */
size_t gwd_unsent(gwd_device* device);

/* The network is another one (its name: "wifi:home", "cell:310-260"): reconnects at once, and the heartbeat goes on
 * with what was learnt there. */
void gwd_set_network(gwd_device* device, const char* name);

/* The app is in front: short heartbeats and quick reconnects, for now. */
void gwd_set_foreground(gwd_device* device, int is_foreground);

/* A new credential; connects again. */
void gwd_set_credential(gwd_device* device, const char* credential);

/* Says goodbye and waits for the thread. Events that were not taken stay in the memory file. */
void gwd_close(gwd_device* device);

#ifdef __cplusplus
}
#endif
#endif
