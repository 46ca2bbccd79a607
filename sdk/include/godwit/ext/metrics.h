/* godwit.metrics/1 — counters, gauges and histograms of an instance. Host service.
 *
 * Defined in create or start only, with fixed label sets; the host adds a prefix and the labels channel and instance.
 * All values are integers: a histogram or gauge in other units says how many of its steps make one unit (`per_unit`),
 * so "send_seconds" with per_unit 1000000 is fed with microseconds. Names: [a-z][a-z0-9_]*. */
#ifndef GODWIT_EXT_METRICS_H
#define GODWIT_EXT_METRICS_H

#include <godwit/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_SERVICE_METRICS "godwit.metrics/1"

#define GW_METRIC_COUNTER 1u
#define GW_METRIC_GAUGE 2u
#define GW_METRIC_HISTOGRAM 3u

typedef struct gw_metric_spec {
  uint32_t size;
  uint32_t kind; /* GW_METRIC_* */
  gw_str name;
  gw_str help;
  const gw_str* labels; /* pairs: name, value */
  uint32_t label_pairs;
  uint32_t bound_count;
  const uint64_t* bounds; /* HISTOGRAM: upper bounds in steps, growing; the last bucket is implied */
  uint64_t per_unit;      /* steps per unit; 0 = 1 */
} gw_metric_spec;

typedef struct gw_metrics {
  uint32_t size;
  uint32_t reserved;
  void* ctx;
  /* [lane] in create or start. The same name and labels give the same handle. `*metric` is never 0 on GW_OK. */
  int32_t (*define)(void* ctx, const gw_metric_spec* spec, uint64_t* metric);
  /* [any-thread], cheap, never fail: handle 0 is ignored. */
  void (*add)(void* ctx, uint64_t metric, uint64_t n);         /* COUNTER */
  void (*set)(void* ctx, uint64_t metric, int64_t value);      /* GAUGE */
  void (*observe)(void* ctx, uint64_t metric, uint64_t value); /* HISTOGRAM */
} gw_metrics;

#ifdef __cplusplus
}
#endif
#endif
