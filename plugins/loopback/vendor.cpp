#include "vendor.hpp"

#include <utility>

namespace loopback {

void Vendor::reconfigure(Config config, uint64_t now_ns) {
  if (config.outage != config_.outage) outage_origin_ns_ = now_ns;
  config_ = std::move(config);
}

OutageMode Vendor::outage(uint64_t now_ns) const {
  double age_s = static_cast<double>(now_ns - outage_origin_ns_) / 1e9;
  for (const Outage& o : config_.outage)
    if (age_s >= o.after_s && (o.for_s == 0 || age_s < o.after_s + o.for_s)) return o.mode;
  return OutageMode::none;
}

Fate Vendor::decide(std::string_view extra, OutageMode outage) {
  if (outage == OutageMode::error) return {Fate::refused, false};
  if (dice_.happens(config_.token_invalid)) return {Fate::dead_token, false};
  if (!dice_.happens(config_.accept)) return {Fate::refused, false};
  if (config_.receipt_kind == ReceiptKind::accepted) return {Fate::taken, config_.receipts};
  bool delivered = outage != OutageMode::silent && dice_.happens(deliver(extra));
  return {Fate::taken, delivered && config_.receipts};
}

uint64_t Vendor::draw(const Latency& latency) {
  if (latency.median_ms == 0) return 0;
  return static_cast<uint64_t>(latency.median_ms * 1e6 * dice_.lognormal(latency.sigma));
}

double Vendor::deliver(std::string_view extra) const {
  if (config_.deliver_by.empty()) return config_.deliver;
  auto it = config_.deliver_by.find(manufacturer_of(extra));
  return it == config_.deliver_by.end() ? config_.deliver : it->second;
}

}  // namespace loopback
