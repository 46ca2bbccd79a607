// InstanceServices: the host services of one instance, found by id.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/channels/instance.hpp"
#include "broker/channels/services/metrics_service.hpp"
#include "broker/channels/services/secret_service.hpp"

namespace godwit::channels {

class HttpService;
class IoService;

class InstanceServices {
 public:
  explicit InstanceServices(Instance& instance);

  const void* find(std::string_view id) const;  // null: not offered
  void close();                                 // [lane]

  SecretService& secrets() { return *secrets_; }
  IoService& io() { return *io_; }
  void collect_metrics(const std::function<void(const MetricSample&)>& sink) const;

 private:
  template <class S, class... Args>
  S& offer(const char* id, Args&&... args);
  std::vector<std::pair<std::string_view, std::unique_ptr<Service>>> services_;
  SecretService* secrets_ = nullptr;
  IoService* io_ = nullptr;
  MetricsService* metrics_ = nullptr;
  HttpService* http_ = nullptr;  // null: not offered
};

}  // namespace godwit::channels
