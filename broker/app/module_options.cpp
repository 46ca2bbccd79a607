#include "broker/app/module_options.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/app/vendor_priors.hpp"
#include "broker/base/encoding.hpp"
#include "broker/base/expand.hpp"

namespace godwit {
namespace {

uint64_t random_seed() {
  uint64_t seed = 0;
  for (const char c : random_bytes(8)) seed = seed << 8 | static_cast<unsigned char>(c);
  return seed;
}

// Where devices connect: the listening addresses of our own long connection. An operator behind a load balancer names
// the public ones with `connect`.
std::vector<std::string> connect_urls(const Config& config) {
  std::vector<std::string> urls;
  for (const ChannelInstanceConfig& channel : config.channels) {
    if (!channel.enabled) continue;
    if (!channel.connect.empty()) {
      urls.insert(urls.end(), channel.connect.begin(), channel.connect.end());
      continue;
    }
    if (channel.plugin != "selfconn") continue;
    const nlohmann::json settings = nlohmann::json::parse(channel.config_json, nullptr, false);
    const auto add = [&](const char* key, const char* scheme, const char* path) {
      if (!settings.is_object() || !settings.contains(key) || !settings[key].is_string()) return;
      if (const Result<std::string> address = expand_references(settings[key].get<std::string>()))
        urls.push_back(scheme + *address + path);
    };
    add("tcp", "mqtt://", "");
    add("websocket", "ws://", "/mqtt");
    if (urls.empty()) urls.push_back("mqtt://127.0.0.1:1883");  // the plugin's default
  }
  return urls;
}

}  // namespace

std::vector<AppOptions> app_options(const Config& config) {
  std::vector<AppOptions> apps;
  for (const AppConfig& app : config.apps) apps.push_back({app.id, app.channels});
  return apps;
}

EngineOptions engine_options(const Config& config) {
  EngineOptions o;
  o.apps = app_options(config);
  for (const ChannelInstanceConfig& channel : config.channels) {
    ChannelOptions c;
    c.name = channel.name;
    const Priors priors = with_vendor_priors(channel.plugin, {channel.prior, channel.manufacturer_priors});
    c.prior = priors.prior;
    c.cost = channel.cost;
    c.coverage = channel.coverage;
    c.path = channel.path == "sms" ? 1 : 0;
    for (const auto& [manufacturer, rate] : priors.manufacturers)
      c.manufacturer_priors.emplace_back(manufacturer, rate);
    o.channels.push_back(std::move(c));
  }
  const RoutingConfig& r = config.routing;
  o.seed = r.seed ? r.seed : random_seed();
  o.router.seed = o.seed;
  o.router.half_life_shared_s = double(r.half_life_shared_ms) / 1000;
  o.router.half_life_device_s = double(r.half_life_device_ms) / 1000;
  o.router.exploration = r.exploration;
  o.router.value = r.value;
  o.router.duplicate_penalty = r.duplicate_penalty;
  o.router.max_sends = r.max_sends;
  o.router.audit_share = r.audit;
  const auto splits = [&r](std::string_view key) {
    return std::find(r.segment.begin(), r.segment.end(), key) != r.segment.end();
  };
  o.router.segment = {splits("os"), splits("region"), splits("app_version")};
  o.decision_log_share = r.decision_log_share;
  o.router.min_wait_s = double(r.min_wait_ms) / 1000;
  o.router.max_wait_s = double(r.max_wait_ms) / 1000;
  o.max_open_deliveries = config.limits.open_deliveries;
  o.max_finished_deliveries = config.limits.finished_deliveries;
  o.query_window_ms = config.storage.query_window_ms;
  o.receipt_wait_ms = config.limits.receipt_wait_ms;
  o.default_ttl_ms = config.limits.default_ttl_ms;
  o.checkpoint_every_ms = config.storage.checkpoint_every_ms;
  return o;
}

ApiKeys api_keys(const Config& config) {
  ApiKeys keys;
  keys.admin_keys = config.admin_keys;
  std::vector<std::string> all_channels;
  for (const ChannelInstanceConfig& channel : config.channels) all_channels.push_back(channel.name);
  for (const AppConfig& app : config.apps)
    keys.apps.push_back({app.id,
                         app.server_keys,
                         app.client_keys,
                         app.allow_ips,
                         app.requests_per_s,
                         app.messages_per_s,
                         {routing_mode_from(app.routing).value_or(RoutingMode::best),
                          app.channels.empty() ? all_channels : app.channels}});
  return keys;
}

ApiOptions api_options(const Config& config) {
  ApiOptions o;
  o.listen = config.http.listen;
  o.threads = config.http.threads;
  o.limits.body_bytes = config.limits.body_bytes;
  o.limits.content_bytes = config.limits.content_bytes;
  o.limits.connections_per_address = static_cast<unsigned>(config.limits.connections_per_address);
  o.keys = api_keys(config);
  o.connect_urls = connect_urls(config);
  o.default_ttl_ms = config.limits.default_ttl_ms;
  return o;
}

std::vector<channels::ChannelConfig> channel_configs(const Config& config) {
  std::vector<channels::ChannelConfig> out;
  for (const ChannelInstanceConfig& c : config.channels)
    out.push_back({c.name, c.plugin, c.isolation, c.config_json, c.enabled});
  return out;
}

ConfigFault config_fault(const Config& config, const channels::ChannelFault& fault) {
  for (size_t i = 0; i < config.channels.size(); ++i) {
    const ChannelInstanceConfig& channel = config.channels[i];
    if (channel.name != fault.channel) continue;
    ConfigFault out{channel.line, "channels[" + std::to_string(i) + "]",
                    "channel `" + fault.channel + "`: " + fault.text};
    if (fault.pointer.empty()) return out;
    out.key += ".config" + fault.pointer;
    // The nearest enclosing value that stands in the file: a missing key has no line of its own.
    for (std::string pointer = fault.pointer; !pointer.empty(); pointer.resize(pointer.rfind('/'))) {
      if (const auto at = channel.lines.find(pointer); at != channel.lines.end()) {
        out.line = at->second;
        break;
      }
    }
    return out;
  }
  return {0, "channels", fault.text};
}

}  // namespace godwit
