// godwit.metrics/1: an instance's own counters, gauges and histograms.
//
// Handles are indices into a fixed table, so that adding to a counter is one atomic operation without a lock. A plugin
// gets at most 256 metrics. The prefix `godwit_plugin_` and the label `channel` are put before what it defines.
#pragma once

#include <godwit/ext/metrics.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/channels/plugin_host.hpp"
#include "broker/channels/services/service.hpp"

namespace godwit::channels {

class MetricsService final : public Service {
 public:
  explicit MetricsService(ServiceHome home);
  const void* table() const override { return &table_; }
  void close() override {}  // nothing is ever pending

  void collect(const std::function<void(const MetricSample&)>& sink) const;

 private:
  static constexpr size_t kLimit = 256;
  struct Metric {
    uint32_t kind = 0;
    std::string name, help;
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<uint64_t> bounds;
    double per_unit = 1;
    std::atomic<int64_t> value{0};  // histogram: the sum
    std::atomic<uint64_t> count{0};
    std::unique_ptr<std::atomic<uint64_t>[]> buckets;  // one more than bounds
  };
  int32_t define(const gw_metric_spec& spec, uint64_t& handle);
  Metric* find(uint64_t handle, uint32_t kind) const;

  const ServiceHome home_;
  gw_metrics table_{};
  std::mutex mutex_;                          // for define
  std::vector<std::unique_ptr<Metric>> all_;  // guarded by mutex_
  std::array<std::atomic<Metric*>, kLimit> by_handle_{};
};

}  // namespace godwit::channels
