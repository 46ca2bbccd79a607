// Metrics: what /metrics answers, in Prometheus text format.
//
// Modules keep their own counters (plain atomics, free on the hot path) and register a collector that reads them when
// somebody scrapes. Collectors run one at a time, on the scraping thread; they must not block and must outlive this
// object or be removed with it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace godwit {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// What a collector writes into. Names are complete ("godwit_messages_total"); the help text of a name's first sample
// counts.
class MetricSink {
 public:
  virtual ~MetricSink() = default;
  virtual void counter(std::string_view name, std::string_view help, MetricLabels labels, double value) = 0;
  virtual void gauge(std::string_view name, std::string_view help, MetricLabels labels, double value) = 0;
  // `counts`: one a bound, not cumulated, and one more for what is above the last bound.
  virtual void histogram(std::string_view name, std::string_view help, MetricLabels labels,
                         std::span<const double> bounds, std::span<const uint64_t> counts, double sum) = 0;
};

class Metrics {
 public:
  using Collector = std::function<void(MetricSink&)>;
  void add(Collector collector);
  std::string render() const;  // any thread

 private:
  mutable std::mutex mutex_;  // guards the list, and keeps scrapes apart
  std::vector<Collector> collectors_;
};

// Seconds of something, counted in buckets; written and read from any thread.
class SecondsHistogram {
 public:
  static constexpr std::array<double, 14> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                     0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};
  void observe(double seconds);
  void collect(MetricSink& sink, std::string_view name, std::string_view help, MetricLabels labels) const;

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<uint64_t> sum_ns_{0};
};

}  // namespace godwit
