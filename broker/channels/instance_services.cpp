#include "broker/channels/instance_services.hpp"

#include "broker/channels/services/blocking_service.hpp"
#include "broker/channels/services/credential_service.hpp"
#include "broker/channels/services/http_service.hpp"
#include "broker/channels/services/io_service.hpp"
#include "broker/channels/services/kv_service.hpp"

namespace godwit::channels {

template <class S, class... Args>
S& InstanceServices::offer(const char* id, Args&&... args) {
  auto service = std::make_unique<S>(std::forward<Args>(args)...);
  S& made = *service;
  services_.emplace_back(id, std::move(service));
  return made;
}

InstanceServices::InstanceServices(Instance& instance) {
  const Machinery& m = instance.machinery_;
  const ServiceHome home{instance.name_, instance.lane_, instance.clock_, instance.misbehaviour_};
  // In the order of closing: what may still bring answers first.
  if (m.ports.http) http_ = &offer<HttpService>(GW_SERVICE_HTTP, home, *m.ports.http, instance.secrets_);
  io_ = &offer<IoService>(GW_SERVICE_IO, home, m.io, m.listeners);
  if (m.ports.catalogue) offer<KvService>(GW_SERVICE_KV, home, *m.ports.catalogue, m.storing);
  offer<BlockingService>(GW_SERVICE_BLOCKING, home, m.blocking);
  secrets_ = &offer<SecretService>(GW_SERVICE_SECRET, home, instance.secrets_);
  metrics_ = &offer<MetricsService>(GW_SERVICE_METRICS, home);
  if (m.ports.verify_credential) offer<CredentialService>(GW_SERVICE_CREDENTIAL, m.ports.verify_credential);
}

const void* InstanceServices::find(std::string_view id) const {
  for (const auto& [known, service] : services_)
    if (known == id) return service->table();
  return nullptr;
}

void InstanceServices::collect_metrics(const std::function<void(const MetricSample&)>& sink) const {
  metrics_->collect(sink);
  if (http_) http_->collect(sink);
}

void InstanceServices::close() {
  for (const auto& [id, service] : services_) service->close();
}

}  // namespace godwit::channels
