#include "config.hpp"

#include <nlohmann/json.hpp>

namespace loopback {
namespace {

using Json = nlohmann::json;

Latency latency(const Json& json) {
  if (json.is_number()) return {json.get<double>(), 0};
  return {json.at("median_ms").get<double>(), json.value("sigma", 0.0)};
}

OutageMode outage_mode(const std::string& name) {
  return name == "silent" ? OutageMode::silent : name == "hang" ? OutageMode::hang : OutageMode::error;
}

ReceiptKind receipt_kind(const std::string& name) {
  return name == "vendor" ? ReceiptKind::vendor : name == "accepted" ? ReceiptKind::accepted : ReceiptKind::device;
}

void read(const std::string& key, const Json& value, Config& c) {
  if (key == "accept")
    c.accept = value.get<double>();
  else if (key == "deliver")
    c.deliver = value.get<double>();
  else if (key == "deliver_by")
    for (const auto& [name, p] : value.items()) c.deliver_by[name] = p.get<double>();
  else if (key == "token_invalid")
    c.token_invalid = value.get<double>();
  else if (key == "latency")
    c.latency = latency(value);
  else if (key == "receipt_latency")
    c.receipt_latency = latency(value);
  else if (key == "receipts")
    c.receipts = value.get<bool>();
  else if (key == "receipt_kind")
    c.receipt_kind = receipt_kind(value.get<std::string>());
  else if (key == "outage")
    for (const Json& o : value)
      c.outage.push_back({o.at("after_s").get<double>(), o.value("for_s", 0.0), outage_mode(o.value("mode", "error"))});
  else if (key == "window")
    c.window = value.get<uint32_t>();
  else if (key == "seed")
    c.seed = value.get<uint64_t>();
}

}  // namespace

godwit::Result<Config> parse_config(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return godwit::invalid("the configuration must be a JSON object");
  Config config;
  for (const auto& [key, value] : json.items()) {
    try {
      read(key, value, config);
    } catch (const Json::exception&) {  // the host's schema check refuses this before; another host might not
      return godwit::invalid("has the wrong type; see the schema", "/" + key);
    }
  }
  return config;
}

std::string manufacturer_of(std::string_view extra) {
  Json json = Json::parse(extra, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  auto it = json.find("manufacturer");
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace loopback
