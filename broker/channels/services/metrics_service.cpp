#include "broker/channels/services/metrics_service.hpp"

#include <algorithm>
#include <godwit/table.hpp>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

MetricsService::MetricsService(ServiceHome home) : home_(home) {
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.define = [](void* ctx, const gw_metric_spec* spec, uint64_t* metric) -> int32_t {
    if (!spec || !metric) return GW_E_INVALID;
    return static_cast<MetricsService*>(ctx)->define(import_table(spec), *metric);
  };
  table_.add = [](void* ctx, uint64_t metric, uint64_t n) {
    if (Metric* m = static_cast<MetricsService*>(ctx)->find(metric, GW_METRIC_COUNTER))
      m->value.fetch_add(static_cast<int64_t>(n), std::memory_order_relaxed);
  };
  table_.set = [](void* ctx, uint64_t metric, int64_t value) {
    if (Metric* m = static_cast<MetricsService*>(ctx)->find(metric, GW_METRIC_GAUGE))
      m->value.store(value, std::memory_order_relaxed);
  };
  table_.observe = [](void* ctx, uint64_t metric, uint64_t value) {
    Metric* m = static_cast<MetricsService*>(ctx)->find(metric, GW_METRIC_HISTOGRAM);
    if (!m) return;
    const size_t bucket =
        static_cast<size_t>(std::lower_bound(m->bounds.begin(), m->bounds.end(), value) - m->bounds.begin());
    m->buckets[bucket].fetch_add(1, std::memory_order_relaxed);
    m->count.fetch_add(1, std::memory_order_relaxed);
    m->value.fetch_add(static_cast<int64_t>(value), std::memory_order_relaxed);
  };
}

int32_t MetricsService::define(const gw_metric_spec& spec, uint64_t& handle) {
  auto metric = std::make_unique<Metric>();
  metric->kind = spec.kind;
  metric->name = from_gw(spec.name);
  metric->help = clean_text(spec.help, 256);
  if (spec.kind < GW_METRIC_COUNTER || spec.kind > GW_METRIC_HISTOGRAM || !is_name(metric->name) ||
      spec.label_pairs > 8 || spec.bound_count > 64)
    return GW_E_INVALID;
  for (uint32_t i = 0; i < spec.label_pairs; ++i) {
    metric->labels.emplace_back(from_gw(spec.labels[2 * i]), clean_text(spec.labels[2 * i + 1], 128));
    if (!is_name(metric->labels.back().first) || metric->labels.back().first == "channel") return GW_E_INVALID;
  }
  metric->bounds.assign(spec.bounds, spec.bounds + spec.bound_count);
  if (!std::is_sorted(metric->bounds.begin(), metric->bounds.end())) return GW_E_INVALID;
  metric->per_unit = spec.per_unit ? static_cast<double>(spec.per_unit) : 1;
  metric->buckets.reset(new std::atomic<uint64_t>[metric->bounds.size() + 1]());

  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < all_.size(); ++i)
    if (all_[i]->name == metric->name && all_[i]->labels == metric->labels) {
      if (all_[i]->kind != metric->kind) return GW_E_CONFLICT;
      handle = i + 1;
      return GW_OK;
    }
  if (all_.size() == kLimit) return GW_E_BUSY;
  all_.push_back(std::move(metric));
  by_handle_[all_.size() - 1].store(all_.back().get(), std::memory_order_release);
  handle = all_.size();
  return GW_OK;
}

MetricsService::Metric* MetricsService::find(uint64_t handle, uint32_t kind) const {
  if (handle == 0 || handle > kLimit) return nullptr;
  Metric* metric = by_handle_[handle - 1].load(std::memory_order_acquire);
  return metric && metric->kind == kind ? metric : nullptr;
}

void MetricsService::collect(const std::function<void(const MetricSample&)>& sink) const {
  for (const std::atomic<Metric*>& place : by_handle_) {
    const Metric* m = place.load(std::memory_order_acquire);
    if (!m) return;
    MetricSample sample;
    sample.kind = m->kind == GW_METRIC_COUNTER ? MetricSample::Kind::counter
                  : m->kind == GW_METRIC_GAUGE ? MetricSample::Kind::gauge
                                               : MetricSample::Kind::histogram;
    sample.name = "plugin_" + m->name;
    sample.help = m->help;
    sample.labels = m->labels;
    sample.labels.insert(sample.labels.begin(), {"channel", home_.channel});
    sample.value = static_cast<double>(m->value.load(std::memory_order_relaxed)) / m->per_unit;
    if (m->kind == GW_METRIC_HISTOGRAM) {
      sample.count = m->count.load(std::memory_order_relaxed);
      uint64_t cumulated = 0;
      for (size_t i = 0; i < m->bounds.size(); ++i) {
        cumulated += m->buckets[i].load(std::memory_order_relaxed);
        sample.buckets.emplace_back(static_cast<double>(m->bounds[i]) / m->per_unit, cumulated);
      }
    }
    sink(sample);
  }
}

}  // namespace godwit::channels
