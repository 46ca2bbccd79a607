/* The C ABI between a push broker (host) and a delivery channel (plugin), as one header.
 *
 * A plugin is a shared library that exports ONE data symbol, GW_ENTRY_SYMBOL: a constant tree of sized structs. The
 * host exports nothing; it hands a table of functions (gw_host) to each channel instance that it creates.
 *
 * Rules that hold everywhere, so that they need not be repeated at each field:
 *
 * - Every struct starts with its size. Writers zero the whole struct and then set `size = sizeof`. Readers touch a
 *   field only if GW_HAS(p, field); function tables of the other side are copied into an own, full-size, zeroed table
 *   first (min(size, sizeof) bytes; C++: godwit::import_table). Fields are only appended, zero keeps the old meaning.
 * - gw_str is {pointer, length}, UTF-8, not zero-terminated; {NULL, 0} means absent. It is frozen for ever.
 * - Nobody frees the other side's memory. Pointers are borrowed for the duration of the call, unless the field says
 *   "until settled" or "until destroy". Results of varying size leave through a callback (gw_diag, sinks).
 * - No exception, C++ object, FILE*, errno or library handle crosses. Every function behaves as noexcept.
 * - Functions that can fail return int32_t: GW_OK or a negative GW_E_*. Unknown negatives mean GW_E_INTERNAL.
 *
 * Who calls what from where:
 *
 *   [lane]        The host calls it, never two at once for one instance; the OS thread may differ from call to call.
 *                 Keep it short: 10 ms is noted, 1 s is misbehaviour, 30 s marks the instance as hung.
 *   [any-thread]  May be called at any time from any thread, also while the lane is busy.
 *
 * Before 1.0 the symbol is gw_entry_0 and nothing is promised between releases.
 */
#ifndef GODWIT_ABI_H
#define GODWIT_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_ABI_MAJOR 0
#define GW_ABI_MINOR 1

/* The one exported symbol; its number repeats the major version. */
#define GW_ENTRY_SYMBOL gw_entry_0
#define GW_ENTRY_SYMBOL_NAME "gw_entry_0"

#define GW_EXPORT __attribute__((visibility("default")))

/* True if the struct behind `p`, as its writer knew it, reaches to the end of `field`. */
#define GW_HAS(p, field) \
  ((size_t)((const char*)&(p)->field - (const char*)(p)) + sizeof((p)->field) <= (size_t)(p)->size)

/* UTF-8 text, or bytes where a field says so. Not zero-terminated. {NULL, 0} = absent. */
typedef struct gw_str {
  const char* ptr;
  size_t len;
} gw_str;

/* ---- status: what a call returns ---- */

#define GW_OK 0
#define GW_E_INVALID (-1)     /* an argument or the configuration is wrong */
#define GW_E_STATE (-2)       /* called out of order */
#define GW_E_CLOSED (-3)      /* stopping or stopped; also: this operation was cancelled */
#define GW_E_BUSY (-4)        /* no room now; the call's text says what tells you that there is room again */
#define GW_E_INTERNAL (-5)    /* an exception was caught at the edge, or a defect found */
#define GW_E_UNSUPPORTED (-6) /* this side does not offer it */
#define GW_E_DENIED (-7)      /* a signature, credential or permission is wrong */
#define GW_E_TIMEOUT (-8)
#define GW_E_IO (-9)
#define GW_E_NEEDS_RESTART (-10) /* reconfigure: only a new instance can apply this */
#define GW_E_NOT_FOUND (-11)
#define GW_E_CONFLICT (-12) /* an expected version did not match */

/* ---- gw_diag: where a call explains itself ---- */

#define GW_DIAG_INFO 0
#define GW_DIAG_WARNING 1
#define GW_DIAG_ERROR 2

/* Texts that belong to one call. `where` is a JSON pointer ("/key_id") or a field's name; may be empty. A good text
 * names the field, the fault and the remedy. A gw_diag pointer may be NULL: nobody wants to know. */
typedef struct gw_diag {
  uint32_t size;
  uint32_t reserved;
  void* ctx;
  void (*report)(void* ctx, int32_t severity, gw_str where, gw_str text); /* may be called many times */
} gw_diag;

/* ---- gw_caps: what a channel can do ---- */

/* Bits of gw_caps.receipt_kinds, and values of gw_event.subkind for GW_EVENT_RECEIPT. */
#define GW_RECEIPT_ACCEPTED 1u  /* the vendor took it; says nothing about the device */
#define GW_RECEIPT_DELIVERED 2u /* it is on the device */
#define GW_RECEIPT_DISPLAYED 4u
#define GW_RECEIPT_OPENED 8u
#define GW_RECEIPT_DISMISSED 16u

/* Bits of gw_caps.flags. Receivers ignore bits they do not know. */
#define GW_CAP_TTL (UINT64_C(1) << 0)
#define GW_CAP_COLLAPSE (UINT64_C(1) << 1)
#define GW_CAP_PRIORITY (UINT64_C(1) << 2)
#define GW_CAP_OFFLINE_HOLD (UINT64_C(1) << 3) /* the vendor keeps messages for offline devices */
#define GW_CAP_MULTICAST (UINT64_C(1) << 4)    /* many targets in one message (max_targets > 1) */
#define GW_CAP_BROADCAST (UINT64_C(1) << 5)
#define GW_CAP_RECALL (UINT64_C(1) << 6)         /* <-> extension godwit.recall/1 */
#define GW_CAP_PRESENCE (UINT64_C(1) << 7)       /* reports who is online */
#define GW_CAP_TOKEN_FEEDBACK (UINT64_C(1) << 8) /* reports dead or changed tokens */
#define GW_CAP_INBOUND (UINT64_C(1) << 9)        /* devices can send to the server */
#define GW_CAP_WEBHOOK (UINT64_C(1) << 10)       /* <-> extension godwit.webhook/1 */
#define GW_CAP_IDEMPOTENT (UINT64_C(1) << 11)    /* the vendor drops repeats of message_id: retrying UNKNOWN is free */
#define GW_CAP_ORDERED (UINT64_C(1) << 12)       /* order is kept per target */
#define GW_CAP_SILENT (UINT64_C(1) << 13)
#define GW_CAP_RAW_CONTENT (UINT64_C(1) << 14) /* takes GW_CONTENT_RAW */
#define GW_CAP_SCHEDULE (UINT64_C(1) << 15)
#define GW_CAP_METERED (UINT64_C(1) << 16)       /* each send costs money: never repeat without need */
#define GW_CAP_OWNS_LISTENER (UINT64_C(1) << 17) /* devices connect to it: uses godwit.io/1 listeners */

/* The router's input. max_* 0 = no limit of its own; max_ttl_ms / offline_hold_ms 0 = not supported. */
typedef struct gw_caps {
  uint32_t size;
  uint32_t receipt_kinds; /* GW_RECEIPT_* that can ever arrive */
  uint64_t flags;         /* GW_CAP_* */
  /* Hard ceilings; the host never exceeds them. */
  uint32_t max_payload_bytes; /* of gw_msg.content */
  uint32_t max_batch;         /* messages per submit */
  uint32_t max_targets;       /* targets per message; 1 unless GW_CAP_MULTICAST */
  uint32_t max_window;        /* messages with the plugin at once */
  uint64_t max_ttl_ms;
  uint64_t offline_hold_ms;  /* how long the vendor keeps a message for an offline device */
  uint32_t max_collapse_key; /* bytes */
  uint32_t priority_levels;  /* gw_msg.priority is 0..levels-1, 0 is the lowest */
  uint32_t rate_hint_per_s;  /* what the vendor is known to allow; 0 = unknown */
  uint32_t cost_micro;       /* per message, in millionths of the account's unit */
} gw_caps;

/* ---- messages: host -> plugin ---- */

typedef struct gw_target {
  uint32_t size;
  uint32_t flags; /* none yet */
  gw_str address; /* what the channel addresses: registration token, JID, regId, ... */
  gw_str user_id;
  gw_str extra; /* JSON object or absent: device_id, platform, manufacturer, model, os_version, app_version, locale of
                 * the device, and under "channel" whatever the app registered beside the token */
} gw_target;

/* Bits of gw_msg.flags. */
#define GW_MSG_SILENT 1u       /* wake the app, show nothing */
#define GW_MSG_AT_MOST_ONCE 2u /* when in doubt, do not send again */
#define GW_MSG_DRY_RUN 4u      /* go as far as the vendor's own validation, show nothing to anybody */

/* gw_msg.content_kind */
#define GW_CONTENT_NOTIFICATION 0u /* JSON {"notification": {...}, "data": {...}}, fields as in the HTTP API */
#define GW_CONTENT_RAW 1u          /* the vendor's own request body */
#define GW_CONTENT_BYTES 2u        /* opaque bytes for the app */

/* One attempt. The struct and everything it points to stays valid and unchanged UNTIL SETTLED (all its targets), so a
 * plugin need not copy; reading it afterwards is a defect that godwit-plugin-check turns into a fault. */
typedef struct gw_msg {
  uint32_t size;
  uint32_t flags;    /* GW_MSG_* */
  uint64_t ticket;   /* the host's name for this attempt: echo it in gw_outcome */
  gw_str message_id; /* the same over all retries: use it as the vendor's idempotency key */
  gw_str app_id;
  const gw_target* const* targets;
  uint32_t target_count; /* 1..max_targets */
  uint32_t content_kind; /* GW_CONTENT_* */
  gw_str content;
  gw_str vendor_options;     /* JSON object for this channel only; may be absent */
  gw_str collapse_key;       /* may be absent */
  uint64_t deadline_mono_ns; /* settle before this (5 s later the host settles UNKNOWN for itself) */
  uint64_t ttl_ms;           /* rest of the message's life, for the vendor's store; 0 = now or never */
  uint32_t priority;         /* 0..priority_levels-1, 0 is the lowest */
  uint32_t attempt;          /* 1 = first */
  gw_str trace;              /* W3C traceparent; may be absent */
} gw_msg;

typedef struct gw_batch {
  uint32_t size;
  uint32_t count;
  const gw_msg* const* msgs;
} gw_batch;

/* ---- outcomes: plugin -> host ---- */

/* gw_outcome.disposition: closed, the router acts on it; the vendor's words travel beside it for people.
 * The host treats a value it does not know as GW_UNKNOWN. */
#define GW_ACCEPTED 0u       /* the vendor took responsibility; keep vendor_id for receipts */
#define GW_DELIVERED 1u      /* the device has it */
#define GW_RETRY 2u          /* surely not taken, temporary: same channel later, with back-off */
#define GW_THROTTLED 3u      /* the vendor limits us: wait retry_after_ms; not counted as a failure */
#define GW_UNREACHABLE 4u    /* target is offline or not on this channel now: next channel at once */
#define GW_TARGET_INVALID 5u /* the token is dead: unbind it (since_wall_ms says since when) */
#define GW_REJECTED 6u       /* this message can never pass here (size, content) */
#define GW_CONFIG 7u         /* our credentials or account: the channel needs an operator */
#define GW_UNKNOWN 8u        /* may or may not have been taken */
#define GW_CANCELLED 9u      /* never left, because the host asked */
#define GW_EXPIRED 10u       /* never left, too old */
#define GW_DISPOSITION_COUNT 11u

#define GW_ALL_TARGETS 0xFFFFFFFFu /* target_index: every target of the ticket that is still open */

/* How one target of one ticket ended. Each (ticket, target) is settled exactly once. */
typedef struct gw_outcome {
  uint32_t size;
  uint32_t disposition;
  uint64_t ticket;
  uint32_t target_index;   /* 0.., or GW_ALL_TARGETS */
  uint32_t http_status;    /* 0 = none */
  uint64_t retry_after_ms; /* for RETRY and THROTTLED; 0 = the host's own back-off */
  gw_str vendor_id;        /* key by which later receipts name this message */
  gw_str vendor_code;      /* the vendor's word: "BadDeviceToken", "20301" */
  gw_str detail;           /* for people; no payload, no secret */
  uint64_t since_wall_ms;  /* TARGET_INVALID: dead since; 0 = not told */
} gw_outcome;

/* ---- events: plugin -> host ---- */

/* gw_event.kind; the host drops kinds it does not know. */
#define GW_EVENT_RECEIPT 1u        /* subkind GW_RECEIPT_*; names the message by vendor_id or message_id + address */
#define GW_EVENT_TOKEN_INVALID 2u  /* address is dead since at_wall_ms */
#define GW_EVENT_TOKEN_CHANGED 3u  /* payload = the new token */
#define GW_EVENT_PRESENCE 4u       /* subkind GW_PRESENCE_*, connection_id, seq */
#define GW_EVENT_PRESENCE_RESET 5u /* forget all presence of this instance; the full picture follows */
#define GW_EVENT_INBOUND 6u        /* a message from a device: payload, subkind 0 */
#define GW_EVENT_QUOTA 7u          /* payload JSON {"remaining": n, "resets_at_ms": t} */
#define GW_EVENT_NOTICE 8u         /* payload = text for the operator */

#define GW_PRESENCE_OFFLINE 0u
#define GW_PRESENCE_ONLINE 1u
#define GW_PRESENCE_AWAY 2u

/* Bits of gw_event.flags. */
#define GW_EVENT_BY_DEVICE 1u /* RECEIPT: the device itself said so; without it the vendor did */

typedef struct gw_event {
  uint32_t size;
  uint32_t kind;
  uint64_t seq;        /* grows per instance and address; the host ignores older presence */
  uint64_t at_wall_ms; /* when it happened; 0 = now */
  gw_str event_id;     /* duplicates are dropped by it; derive it from the vendor's ids, not from a counter */
  gw_str address;      /* as in gw_target.address */
  gw_str vendor_id;    /* as in gw_outcome.vendor_id */
  gw_str message_id;
  uint32_t subkind;
  uint32_t flags;
  gw_str connection_id; /* PRESENCE */
  gw_str payload;       /* bytes for INBOUND */
} gw_event;

/* ---- gw_host: what an instance may ask of the host ---- */

/* set_state */
#define GW_STATE_STARTING 0u
#define GW_STATE_READY 1u
#define GW_STATE_DEGRADED 2u /* works, worse than it should */
#define GW_STATE_DOWN 3u     /* does not work, will heal by itself */
#define GW_STATE_FAILED 4u   /* needs an operator */

/* log */
#define GW_LOG_TRACE 0
#define GW_LOG_DEBUG 1
#define GW_LOG_INFO 2
#define GW_LOG_WARN 3
#define GW_LOG_ERROR 4

/* One table per instance, valid until destroy returned. Every function is [any-thread] and wants `ctx` first.
 * After stop returned, all answer GW_E_CLOSED (or do nothing); in destroy none may be called. */
typedef struct gw_host {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* The table of a host service by id ("godwit.http/1"), valid until destroy; NULL = not offered. Ask in create or
   * start and keep it. The table starts with {size, reserved, ctx}; pass that ctx, not this one. */
  const void* (*get_service)(void* ctx, gw_str id);

  /* The only clocks a plugin uses; tests turn them by hand. */
  uint64_t (*now_mono_ns)(void* ctx);
  uint64_t (*now_wall_ms)(void* ctx); /* since 1970 */

  /* `kv` holds 2 * pairs strings: key, value, key, value. The host adds channel and instance. */
  void (*log)(void* ctx, int32_t level, gw_str text, const gw_str* kv, uint32_t pairs);
  int32_t (*log_level)(void* ctx); /* lower levels are dropped: skip building their text */

  /* Runs fn(arg) on the lane. GW_E_CLOSED once stopping: fn will not run, the caller frees arg. After GW_OK it runs
   * exactly once: what is still queued when stop begins runs before stop. */
  int32_t (*post)(void* ctx, void (*fn)(void* arg), void* arg);

  /* One shot; on_timer(id, cookie) fires on the lane. Returns the id, 0 = refused (stopping). Cancelling on the lane
   * guarantees that it never fires; from elsewhere it may be firing just now. */
  uint64_t (*timer_arm)(void* ctx, uint64_t delay_ns, uint64_t cookie);
  int32_t (*timer_cancel)(void* ctx, uint64_t id);

  int32_t (*set_state)(void* ctx, uint32_t state, gw_str reason);

  /* Messages (not targets) that may be with the plugin at once: an absolute number, 0 pauses, never above max_window.
   * Starts at 0. Shrinking does not recall what is out. */
  int32_t (*set_window)(void* ctx, uint32_t messages);
  int32_t (*hold)(void* ctx, uint64_t until_mono_ns, gw_str reason); /* "429, come back then"; 0 ends a hold */

  /* Ends (ticket, target)s; copies what it needs; never calls back into the plugin on this stack. Legal inside submit.
   * GW_E_INVALID if any entry named something not open (double, never given): the others were taken all the same. */
  int32_t (*settle)(void* ctx, const gw_outcome* const* outcomes, uint32_t count);

  /* All or none. GW_E_BUSY: keep them, on_event_room will be called. */
  int32_t (*event)(void* ctx, const gw_event* const* events, uint32_t count);

  int32_t (*drained)(void* ctx); /* the answer to drain: nothing is in flight any more */
  int32_t (*on_lane)(void* ctx); /* 1 = this thread is inside this instance's lane now; debugging aid */
} gw_host;

/* ---- gw_channel_ops: what the host calls ---- */

/* create -> start -> (submit, cancel, on_*, reconfigure)* -> drain -> stop -> destroy; stop is allowed from every state
 * after create. Required: create, start, submit, stop, destroy. The host checks at load that flags and functions agree.
 */
typedef struct gw_channel_ops {
  uint32_t size;
  uint32_t reserved;

  /* [any-thread] Deeper checks than the schema: many reports, no I/O, no state. The config has passed the schema and
   * has its defaults filled in. GW_OK or GW_E_INVALID. */
  int32_t (*check_config)(gw_str config, const gw_diag* diag);

  /* [lane] Parses, allocates, asks services; no threads, sockets or timers. On GW_OK `*self` names the instance. A
   * failed create leaves nothing behind. `host` stays valid until destroy returned; `config` only for the call. */
  int32_t (*create)(const gw_host* host, gw_str config, const gw_diag* diag, void** self);

  /* [lane] Connects, arms timers, starts own threads; returns at once. Later: set_state(READY), set_window. */
  int32_t (*start)(void* self, const gw_diag* diag);

  /* [lane] GW_OK = all taken: each target will be settled exactly once, perhaps before this returns. Anything else =
   * none taken and none settled. Never takes part of a batch, never blocks. */
  int32_t (*submit)(void* self, const gw_batch* batch);

  /* [lane] A wish: the ticket is still settled, with the truth if it already left. Unknown tickets are ignored. */
  void (*cancel)(void* self, uint64_t ticket);

  void (*on_timer)(void* self, uint64_t id, uint64_t cookie); /* [lane] */
  void (*on_event_room)(void* self);                          /* [lane] event() may be tried again */

  /* [lane] A new config, already validated. GW_OK = applied; GW_E_NEEDS_RESTART = nothing changed, make a new instance.
   * Properties marked x-godwit-live in the schema must be applied. */
  int32_t (*reconfigure)(void* self, gw_str config, const gw_diag* diag);

  /* [lane] No more submits will come. Finish what is in flight, then host->drained(). NULL = the host waits by itself.
   */
  void (*drain)(void* self, uint64_t deadline_mono_ns);

  /* [lane] Before it, the host has delivered every pending service callback (GW_E_CLOSED) and dropped the timers. Join
   * own threads, settle what is left. The last moment to call the host; whatever stays open is settled UNKNOWN for you.
   */
  void (*stop)(void* self);

  /* [lane] Frees memory. Must not call the host. */
  void (*destroy)(void* self);

  /* [any-thread], between create and stop. Figures for the operator: one report per figure, `where` its name, `text`
   * its value. Must not wait for the lane. */
  int32_t (*health)(void* self, const gw_diag* out);

  /* [any-thread] The constant table of an extension by id ("godwit.webhook/1"), NULL = none. Needs no instance: the
   * host asks right after loading. Extension functions take `self` where they need one. */
  const void* (*get_extension)(gw_str id);
} gw_channel_ops;

/* ---- gw_channel_type, gw_entry: what a library is ---- */

/* All constant: readable before any function was called. */
typedef struct gw_channel_type {
  uint32_t size;
  uint32_t reserved;
  gw_str id;   /* "apns"; third parties use reverse DNS: "com.example.sms" */
  gw_str name; /* for people */
  gw_str vendor;
  gw_str version; /* semver of the plugin */
  gw_str license; /* SPDX */
  gw_str docs_url;
  gw_str config_schema;  /* JSON Schema draft-07. Secrets: {"type":"string","format":"godwit-secret"}: the plugin sees a
                          * name and asks godwit.secret/1. "x-godwit-live": true = reconfigure applies it. */
  gw_str config_example; /* validates against the schema */
  const gw_caps* caps;
  const gw_channel_ops* ops;
} gw_channel_type;

/* Bits of gw_entry.flags. */
#define GW_ENTRY_ONLY_PROCESS 1u /* must run isolated in a child process */
#define GW_ENTRY_ONE_INSTANCE 2u /* at most one instance a process; discouraged */

typedef struct gw_entry {
  uint32_t size;
  uint16_t abi_major;      /* repeats the symbol's number */
  uint16_t abi_minor;      /* what it was built against */
  uint16_t min_host_minor; /* refuse older hosts */
  uint16_t flags;
  uint32_t type_count;
  const gw_channel_type* const* types;
  gw_str sdk_version;

  /* Once per load, may be NULL: no threads, no network, under 50 ms. deinit runs only in tests and in child processes.
   */
  int32_t (*init)(gw_str library_path, const gw_diag* diag);
  void (*deinit)(void);
} gw_entry;

/* Defined by the plugin (C++: GW_EXPORT_CHANNEL); hosts look it up by GW_ENTRY_SYMBOL_NAME. */
extern GW_EXPORT const gw_entry GW_ENTRY_SYMBOL;

#ifdef __cplusplus
}
#endif

#endif /* GODWIT_ABI_H */
