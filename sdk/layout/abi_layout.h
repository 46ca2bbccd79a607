/* The offsets of every struct of the ABI, written down a second time so that a change of layout does not compile.
 * Compiled as C11 and as C++20, by g++ and, where present, by clang. LP64 only. */
#include <godwit/abi.h>
#include <godwit/ext/address.h>
#include <godwit/ext/blocking.h>
#include <godwit/ext/credential.h>
#include <godwit/ext/http.h>
#include <godwit/ext/io.h>
#include <godwit/ext/kv.h>
#include <godwit/ext/metrics.h>
#include <godwit/ext/preview.h>
#include <godwit/ext/recall.h>
#include <godwit/ext/secret.h>
#include <godwit/ext/topics.h>
#include <godwit/ext/webhook.h>

#ifdef __cplusplus
#define CHECK(what) static_assert(what, #what)
#else
#define CHECK(what) _Static_assert(what, #what)
#endif
#define SIZE(type, bytes) CHECK(sizeof(type) == (bytes))
#define AT(type, field, off) CHECK(offsetof(type, field) == (off))

SIZE(gw_str, 16);
AT(gw_str, ptr, 0);
AT(gw_str, len, 8);

SIZE(gw_entry, 56);
AT(gw_entry, size, 0);
AT(gw_entry, abi_major, 4);
AT(gw_entry, abi_minor, 6);
AT(gw_entry, min_host_minor, 8);
AT(gw_entry, flags, 10);
AT(gw_entry, type_count, 12);
AT(gw_entry, types, 16);
AT(gw_entry, sdk_version, 24);
AT(gw_entry, init, 40);
AT(gw_entry, deinit, 48);

SIZE(gw_channel_type, 152);
AT(gw_channel_type, size, 0);
AT(gw_channel_type, id, 8);
AT(gw_channel_type, name, 24);
AT(gw_channel_type, vendor, 40);
AT(gw_channel_type, version, 56);
AT(gw_channel_type, license, 72);
AT(gw_channel_type, docs_url, 88);
AT(gw_channel_type, config_schema, 104);
AT(gw_channel_type, config_example, 120);
AT(gw_channel_type, caps, 136);
AT(gw_channel_type, ops, 144);

SIZE(gw_caps, 64);
AT(gw_caps, size, 0);
AT(gw_caps, receipt_kinds, 4);
AT(gw_caps, flags, 8);
AT(gw_caps, max_payload_bytes, 16);
AT(gw_caps, max_batch, 20);
AT(gw_caps, max_targets, 24);
AT(gw_caps, max_window, 28);
AT(gw_caps, max_ttl_ms, 32);
AT(gw_caps, offline_hold_ms, 40);
AT(gw_caps, max_collapse_key, 48);
AT(gw_caps, priority_levels, 52);
AT(gw_caps, rate_hint_per_s, 56);
AT(gw_caps, cost_micro, 60);

SIZE(gw_msg, 152);
AT(gw_msg, size, 0);
AT(gw_msg, flags, 4);
AT(gw_msg, ticket, 8);
AT(gw_msg, message_id, 16);
AT(gw_msg, app_id, 32);
AT(gw_msg, targets, 48);
AT(gw_msg, target_count, 56);
AT(gw_msg, content_kind, 60);
AT(gw_msg, content, 64);
AT(gw_msg, vendor_options, 80);
AT(gw_msg, collapse_key, 96);
AT(gw_msg, deadline_mono_ns, 112);
AT(gw_msg, ttl_ms, 120);
AT(gw_msg, priority, 128);
AT(gw_msg, attempt, 132);
AT(gw_msg, trace, 136);

SIZE(gw_target, 56);
AT(gw_target, size, 0);
AT(gw_target, flags, 4);
AT(gw_target, address, 8);
AT(gw_target, user_id, 24);
AT(gw_target, extra, 40);

SIZE(gw_batch, 16);
AT(gw_batch, size, 0);
AT(gw_batch, count, 4);
AT(gw_batch, msgs, 8);

SIZE(gw_outcome, 88);
AT(gw_outcome, size, 0);
AT(gw_outcome, disposition, 4);
AT(gw_outcome, ticket, 8);
AT(gw_outcome, target_index, 16);
AT(gw_outcome, http_status, 20);
AT(gw_outcome, retry_after_ms, 24);
AT(gw_outcome, vendor_id, 32);
AT(gw_outcome, vendor_code, 48);
AT(gw_outcome, detail, 64);
AT(gw_outcome, since_wall_ms, 80);

SIZE(gw_event, 128);
AT(gw_event, size, 0);
AT(gw_event, kind, 4);
AT(gw_event, seq, 8);
AT(gw_event, at_wall_ms, 16);
AT(gw_event, event_id, 24);
AT(gw_event, address, 40);
AT(gw_event, vendor_id, 56);
AT(gw_event, message_id, 72);
AT(gw_event, subkind, 88);
AT(gw_event, flags, 92);
AT(gw_event, connection_id, 96);
AT(gw_event, payload, 112);

SIZE(gw_diag, 24);
AT(gw_diag, size, 0);
AT(gw_diag, ctx, 8);
AT(gw_diag, report, 16);

SIZE(gw_host, 136);
AT(gw_host, size, 0);
AT(gw_host, ctx, 8);
AT(gw_host, get_service, 16);
AT(gw_host, now_mono_ns, 24);
AT(gw_host, now_wall_ms, 32);
AT(gw_host, log, 40);
AT(gw_host, log_level, 48);
AT(gw_host, post, 56);
AT(gw_host, timer_arm, 64);
AT(gw_host, timer_cancel, 72);
AT(gw_host, set_state, 80);
AT(gw_host, set_window, 88);
AT(gw_host, hold, 96);
AT(gw_host, settle, 104);
AT(gw_host, event, 112);
AT(gw_host, drained, 120);
AT(gw_host, on_lane, 128);

SIZE(gw_channel_ops, 112);
AT(gw_channel_ops, size, 0);
AT(gw_channel_ops, check_config, 8);
AT(gw_channel_ops, create, 16);
AT(gw_channel_ops, start, 24);
AT(gw_channel_ops, submit, 32);
AT(gw_channel_ops, cancel, 40);
AT(gw_channel_ops, on_timer, 48);
AT(gw_channel_ops, on_event_room, 56);
AT(gw_channel_ops, reconfigure, 64);
AT(gw_channel_ops, drain, 72);
AT(gw_channel_ops, stop, 80);
AT(gw_channel_ops, destroy, 88);
AT(gw_channel_ops, health, 96);
AT(gw_channel_ops, get_extension, 104);

SIZE(gw_http_pool_options, 136);
AT(gw_http_pool_options, size, 0);
AT(gw_http_pool_options, versions, 4);
AT(gw_http_pool_options, origin, 8);
AT(gw_http_pool_options, tls_certificate, 24);
AT(gw_http_pool_options, tls_key, 40);
AT(gw_http_pool_options, ca_file, 56);
AT(gw_http_pool_options, server_name, 72);
AT(gw_http_pool_options, max_connections, 88);
AT(gw_http_pool_options, max_streams, 92);
AT(gw_http_pool_options, connect_timeout_ms, 96);
AT(gw_http_pool_options, request_timeout_ms, 100);
AT(gw_http_pool_options, idle_timeout_ms, 104);
AT(gw_http_pool_options, ping_interval_ms, 108);
AT(gw_http_pool_options, max_response_bytes, 112);
AT(gw_http_pool_options, on_slots, 120);
AT(gw_http_pool_options, on_slots_arg, 128);

SIZE(gw_http_request, 80);
AT(gw_http_request, size, 0);
AT(gw_http_request, header_count, 4);
AT(gw_http_request, method, 8);
AT(gw_http_request, path, 24);
AT(gw_http_request, headers, 40);
AT(gw_http_request, body, 48);
AT(gw_http_request, deadline_mono_ns, 64);
AT(gw_http_request, cookie, 72);

SIZE(gw_http_response, 80);
AT(gw_http_response, size, 0);
AT(gw_http_response, delivery, 4);
AT(gw_http_response, status, 8);
AT(gw_http_response, http_status, 12);
AT(gw_http_response, headers, 16);
AT(gw_http_response, header_count, 24);
AT(gw_http_response, http_version, 28);
AT(gw_http_response, body, 32);
AT(gw_http_response, error, 48);
AT(gw_http_response, cookie, 64);
AT(gw_http_response, elapsed_ns, 72);

SIZE(gw_http, 56);
AT(gw_http, size, 0);
AT(gw_http, ctx, 8);
AT(gw_http, open_pool, 16);
AT(gw_http, close_pool, 24);
AT(gw_http, send, 32);
AT(gw_http, cancel, 40);
AT(gw_http, pool_slots, 48);

SIZE(gw_kv_entry, 48);
AT(gw_kv_entry, size, 0);
AT(gw_kv_entry, version, 8);
AT(gw_kv_entry, key, 16);
AT(gw_kv_entry, value, 32);

SIZE(gw_kv_result, 24);
AT(gw_kv_result, size, 0);
AT(gw_kv_result, status, 4);
AT(gw_kv_result, entries, 8);
AT(gw_kv_result, count, 16);
AT(gw_kv_result, more, 20);

SIZE(gw_kv, 48);
AT(gw_kv, size, 0);
AT(gw_kv, ctx, 8);
AT(gw_kv, get, 16);
AT(gw_kv, put, 24);
AT(gw_kv, remove, 32);
AT(gw_kv, scan, 40);

SIZE(gw_secret, 40);
AT(gw_secret, size, 0);
AT(gw_secret, ctx, 8);
AT(gw_secret, get, 16);
AT(gw_secret, watch, 24);
AT(gw_secret, unwatch, 32);

SIZE(gw_metric_spec, 72);
AT(gw_metric_spec, size, 0);
AT(gw_metric_spec, kind, 4);
AT(gw_metric_spec, name, 8);
AT(gw_metric_spec, help, 24);
AT(gw_metric_spec, labels, 40);
AT(gw_metric_spec, label_pairs, 48);
AT(gw_metric_spec, bound_count, 52);
AT(gw_metric_spec, bounds, 56);
AT(gw_metric_spec, per_unit, 64);

SIZE(gw_metrics, 48);
AT(gw_metrics, size, 0);
AT(gw_metrics, ctx, 8);
AT(gw_metrics, define, 16);
AT(gw_metrics, add, 24);
AT(gw_metrics, set, 32);
AT(gw_metrics, observe, 40);

SIZE(gw_blocking, 24);
AT(gw_blocking, size, 0);
AT(gw_blocking, ctx, 8);
AT(gw_blocking, run, 16);

SIZE(gw_listener_options, 48);
AT(gw_listener_options, size, 0);
AT(gw_listener_options, index, 4);
AT(gw_listener_options, name, 8);
AT(gw_listener_options, address, 24);
AT(gw_listener_options, backlog, 40);

SIZE(gw_io, 48);
AT(gw_io, size, 0);
AT(gw_io, ctx, 8);
AT(gw_io, watch, 16);
AT(gw_io, rearm, 24);
AT(gw_io, unwatch, 32);
AT(gw_io, listener, 40);

SIZE(gw_credential, 96);
AT(gw_credential, size, 0);
AT(gw_credential, buffer_size, 4);
AT(gw_credential, buffer, 8);
AT(gw_credential, app_id, 16);
AT(gw_credential, device_id, 32);
AT(gw_credential, address, 48);
AT(gw_credential, generation, 64);
AT(gw_credential, expires_wall_ms, 72);
AT(gw_credential, reason, 80);

SIZE(gw_credentials, 24);
AT(gw_credentials, size, 0);
AT(gw_credentials, ctx, 8);
AT(gw_credentials, verify, 16);

SIZE(gw_webhook_request, 96);
AT(gw_webhook_request, size, 0);
AT(gw_webhook_request, method, 4);
AT(gw_webhook_request, tail, 8);
AT(gw_webhook_request, query, 24);
AT(gw_webhook_request, headers, 40);
AT(gw_webhook_request, header_count, 48);
AT(gw_webhook_request, body, 56);
AT(gw_webhook_request, remote_ip, 72);
AT(gw_webhook_request, received_wall_ms, 88);

SIZE(gw_webhook_reply, 40);
AT(gw_webhook_reply, size, 0);
AT(gw_webhook_reply, http_status, 4);
AT(gw_webhook_reply, headers, 8);
AT(gw_webhook_reply, header_count, 16);
AT(gw_webhook_reply, body, 24);

SIZE(gw_webhook_sink, 40);
AT(gw_webhook_sink, size, 0);
AT(gw_webhook_sink, ctx, 8);
AT(gw_webhook_sink, event, 16);
AT(gw_webhook_sink, reply, 24);
AT(gw_webhook_sink, diag, 32);

SIZE(gw_webhook, 24);
AT(gw_webhook, size, 0);
AT(gw_webhook, methods, 4);
AT(gw_webhook, max_body, 8);
AT(gw_webhook, parse, 16);

SIZE(gw_preview_request, 72);
AT(gw_preview_request, size, 0);
AT(gw_preview_request, first_target, 4);
AT(gw_preview_request, target_count, 8);
AT(gw_preview_request, header_count, 12);
AT(gw_preview_request, method, 16);
AT(gw_preview_request, url, 32);
AT(gw_preview_request, headers, 48);
AT(gw_preview_request, body, 56);

SIZE(gw_preview_sink, 32);
AT(gw_preview_sink, size, 0);
AT(gw_preview_sink, ctx, 8);
AT(gw_preview_sink, request, 16);
AT(gw_preview_sink, diag, 24);

SIZE(gw_preview, 16);
AT(gw_preview, size, 0);
AT(gw_preview, render, 8);

SIZE(gw_recall_request, 64);
AT(gw_recall_request, size, 0);
AT(gw_recall_request, flags, 4);
AT(gw_recall_request, message_id, 8);
AT(gw_recall_request, app_id, 24);
AT(gw_recall_request, vendor_id, 40);
AT(gw_recall_request, target, 56);

SIZE(gw_recall, 16);
AT(gw_recall, size, 0);
AT(gw_recall, recall, 8);

SIZE(gw_topics, 24);
AT(gw_topics, size, 0);
AT(gw_topics, max_addresses, 4);
AT(gw_topics, subscribe, 8);
AT(gw_topics, unsubscribe, 16);

SIZE(gw_address, 16);
AT(gw_address, size, 0);
AT(gw_address, max_bytes, 4);
AT(gw_address, check, 8);
