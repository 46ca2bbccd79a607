/* godwit.http/1 — the host's shared HTTP/2 (and 1.1) client. Host service.
 *
 * The plugin describes an origin once (a pool) and sends requests; connections, TLS, multiplexing, GOAWAY and time-outs
 * are the host's. Every accepted send ends in exactly one `done` on the lane, also while stopping (GW_E_CLOSED).
 * The field that keeps retries from doubling pushes is gw_http_response.delivery. */
#ifndef GODWIT_EXT_HTTP_H
#define GODWIT_EXT_HTTP_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_SERVICE_HTTP "godwit.http/1"

/* gw_http_response.delivery */
#define GW_HTTP_NOT_SENT 0u   /* safe to retry: refused stream, above GOAWAY's last id, no connection */
#define GW_HTTP_MAYBE_SENT 1u /* the request left, no full answer: the outcome is UNKNOWN */
#define GW_HTTP_ANSWERED 2u

/* gw_http_pool_options.versions: bits; 0 = what the host thinks best (both, by ALPN; 1.1 for http:) */
#define GW_HTTP_V1 1u
#define GW_HTTP_V2 2u /* alone: required. With an http: origin: prior knowledge */

typedef struct gw_http_pool_options {
  uint32_t size;
  uint32_t versions;
  gw_str origin; /* "https://api.push.apple.com:443" */
  gw_str
      tls_certificate; /* secret name: PEM certificate chain (may hold the key too); absent = no client certificate */
  gw_str tls_key;      /* secret name: PEM key, if it is not beside the certificate */
  gw_str ca_file;      /* trusted CAs in PEM; absent = the system's */
  gw_str server_name;  /* SNI and name to verify, if other than the origin's host */
  uint32_t max_connections; /* 0 = host's default */
  uint32_t max_streams;     /* per connection, on top of what the server allows; 0 = the server's */
  uint32_t connect_timeout_ms;
  uint32_t request_timeout_ms; /* upper bound beside each request's own deadline */
  uint32_t idle_timeout_ms;    /* close a connection unused so long */
  uint32_t ping_interval_ms;   /* HTTP/2 PING on quiet connections; 0 = none */
  uint32_t max_response_bytes; /* longer bodies fail with GW_E_IO; 0 = 1 MiB */
  uint32_t reserved;
  /* [lane] pool_slots changed much (a new SETTINGS, a connection lost): map it to set_window. May be NULL. */
  void (*on_slots)(void* arg, uint32_t slots);
  void* on_slots_arg;
} gw_http_pool_options;

typedef struct gw_http_request {
  uint32_t size;
  uint32_t header_count; /* pairs */
  gw_str method;
  gw_str path;           /* with query; begins with '/' */
  const gw_str* headers; /* 2 * header_count strings: name, value; names in lower case; no host, no length */
  gw_str body;
  uint64_t deadline_mono_ns; /* 0 = only the pool's request_timeout_ms */
  uint64_t cookie;           /* for cancel; choose it unique among what is open, or 0 */
} gw_http_request;

/* Valid during `done`. */
typedef struct gw_http_response {
  uint32_t size;
  uint32_t delivery;     /* GW_HTTP_* */
  int32_t status;        /* GW_OK if ANSWERED; else GW_E_TIMEOUT, GW_E_IO, GW_E_CLOSED (cancelled or stopping), ... */
  uint32_t http_status;  /* 0 unless ANSWERED */
  const gw_str* headers; /* pairs, names in lower case */
  uint32_t header_count;
  uint32_t http_version; /* 1 or 2 */
  gw_str body;
  gw_str error; /* for people, if status is not GW_OK */
  uint64_t cookie;
  uint64_t elapsed_ns;
} gw_http_response;

typedef void (*gw_http_done)(void* arg, const gw_http_response* response);

typedef struct gw_http {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* [any-thread] From create on. Does no I/O: connections are made when needed. `*pool` is never 0 on GW_OK. */
  int32_t (*open_pool)(void* ctx, const gw_http_pool_options* options, const gw_diag* diag, uint64_t* pool);

  /* [any-thread] What is open ends with GW_E_CLOSED; done is still called for each. Called on the lane, on_slots will
   * not be called again. */
  void (*close_pool)(void* ctx, uint64_t pool);

  /* [any-thread] Copies what it needs. GW_OK: `done` will be called on the lane exactly once, never on this stack.
   * Else (GW_E_CLOSED, GW_E_INVALID, GW_E_BUSY = too many queued): it will not be called. */
  int32_t (*send)(void* ctx, uint64_t pool, const gw_http_request* request, gw_http_done done, void* arg);

  /* [any-thread] A wish; done still comes and says what is known. */
  void (*cancel)(void* ctx, uint64_t pool, uint64_t cookie);

  /* [any-thread] Requests that could be sent now without queueing. */
  uint32_t (*pool_slots)(void* ctx, uint64_t pool);
} gw_http;

#ifdef __cplusplus
}
#endif
#endif
