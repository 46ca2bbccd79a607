// Metrics of this instance (godwit.metrics/1): define in create or start, use from anywhere. Where the host offers
// none, everything is quietly ignored, so a plugin need not ask.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include <godwit/ext/metrics.h>
#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

class Metric {
 public:
  Metric() = default;
  void add(uint64_t n = 1) const {
    if (id_) table_.add(table_.ctx, id_, n);
  }  // counters
  void set(int64_t value) const {
    if (id_) table_.set(table_.ctx, id_, value);
  }  // gauges
  void observe(uint64_t value) const {
    if (id_) table_.observe(table_.ctx, id_, value);
  }  // histograms

 private:
  friend class Metrics;
  gw_metrics table_{};
  uint64_t id_ = 0;
};

class Metrics {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  explicit Metrics(Host host) : table_(host.service<gw_metrics>(GW_SERVICE_METRICS)) {}

  Metric counter(std::string_view name, std::string_view help, Labels labels = {}) const {
    return define(GW_METRIC_COUNTER, name, help, labels, {}, 1);
  }
  Metric gauge(std::string_view name, std::string_view help, Labels labels = {}, uint64_t per_unit = 1) const {
    return define(GW_METRIC_GAUGE, name, help, labels, {}, per_unit);
  }
  // `bounds` and what is observed are integers, `per_unit` of them make one exported unit (microseconds: 1000000).
  Metric histogram(std::string_view name, std::string_view help, std::initializer_list<uint64_t> bounds,
                   uint64_t per_unit, Labels labels = {}) const {
    return define(GW_METRIC_HISTOGRAM, name, help, labels, bounds, per_unit);
  }

 private:
  Metric define(uint32_t kind, std::string_view name, std::string_view help, Labels labels,
                std::initializer_list<uint64_t> bounds, uint64_t per_unit) const {
    Metric metric;
    if (!table_.define) return metric;
    std::vector<gw_str> pairs;
    for (const auto& [key, value] : labels) pairs.push_back(str(key)), pairs.push_back(str(value));
    gw_metric_spec spec{};
    spec.size = sizeof spec;
    spec.kind = kind;
    spec.name = str(name);
    spec.help = str(help);
    spec.labels = pairs.data();
    spec.label_pairs = static_cast<uint32_t>(labels.size());
    spec.bounds = bounds.begin();
    spec.bound_count = static_cast<uint32_t>(bounds.size());
    spec.per_unit = per_unit;
    metric.table_ = table_;
    if (table_.define(table_.ctx, &spec, &metric.id_) != GW_OK) metric.id_ = 0;
    return metric;
  }

  gw_metrics table_;
};

}  // namespace sdk
}  // namespace godwit
