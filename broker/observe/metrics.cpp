#include "broker/observe/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>

namespace godwit {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// Gathers samples into families, which is what the text format wants: all samples of a name together.
class Families final : public MetricSink {
 public:
  void counter(std::string_view name, std::string_view help, MetricLabels labels, double value) override {
    sample(name, help, MetricType::Counter, std::move(labels)).counter.value = value;
  }
  void gauge(std::string_view name, std::string_view help, MetricLabels labels, double value) override {
    sample(name, help, MetricType::Gauge, std::move(labels)).gauge.value = value;
  }
  void histogram(std::string_view name, std::string_view help, MetricLabels labels, std::span<const double> bounds,
                 std::span<const uint64_t> counts, double sum) override {
    ClientMetric::Histogram& h = sample(name, help, MetricType::Histogram, std::move(labels)).histogram;
    uint64_t total = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      total += counts[i];
      ClientMetric::Bucket bucket;
      bucket.cumulative_count = total;
      bucket.upper_bound = i < bounds.size() ? bounds[i] : INFINITY;
      h.bucket.push_back(bucket);
    }
    h.sample_count = total;
    h.sample_sum = sum;
  }

  std::vector<MetricFamily> take() {
    std::vector<MetricFamily> out;
    for (auto& [name, family] : families_) out.push_back(std::move(family));
    return out;
  }

 private:
  ClientMetric& sample(std::string_view name, std::string_view help, MetricType type, MetricLabels labels) {
    auto it = families_.find(name);
    if (it == families_.end()) {
      it = families_.emplace(std::string(name), MetricFamily{}).first;
      it->second.name = name;
      it->second.help = help;
      it->second.type = type;
    }
    ClientMetric& metric = it->second.metric.emplace_back();
    for (auto& [label, value] : labels) metric.label.push_back({std::move(label), std::move(value)});
    return metric;
  }

  std::map<std::string, MetricFamily, std::less<>> families_;
};

}  // namespace

void Metrics::add(Collector collector) {
  std::lock_guard lock(mutex_);
  collectors_.push_back(std::move(collector));
}

std::string Metrics::render() const {
  Families families;
  std::lock_guard lock(mutex_);
  for (const Collector& collect : collectors_) collect(families);
  return prometheus::TextSerializer().Serialize(families.take());
}

void SecondsHistogram::observe(double seconds) {
  const size_t bucket =
      static_cast<size_t>(std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(static_cast<uint64_t>(std::max(0.0, seconds) * 1e9), std::memory_order_relaxed);
}

void SecondsHistogram::collect(MetricSink& sink, std::string_view name, std::string_view help,
                               MetricLabels labels) const {
  std::array<uint64_t, kBounds.size() + 1> counts;
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = counts_[i].load(std::memory_order_relaxed);
  sink.histogram(name, help, std::move(labels), kBounds, counts, double(sum_ns_.load(std::memory_order_relaxed)) / 1e9);
}

}  // namespace godwit
