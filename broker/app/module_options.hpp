// What each module gets from the configuration: the only place that knows both sides.
#pragma once

#include <vector>

#include "broker/api/options.hpp"
#include "broker/app/config.hpp"
#include "broker/channels/plugin_host.hpp"
#include "broker/engine/options.hpp"

namespace godwit {

EngineOptions engine_options(const Config& config);
std::vector<AppOptions> app_options(const Config& config);
ApiOptions api_options(const Config& config);
ApiKeys api_keys(const Config& config);
std::vector<channels::ChannelConfig> channel_configs(const Config& config);

// A channel's fault with the line of the configuration that it speaks of.
ConfigFault config_fault(const Config& config, const channels::ChannelFault& fault);

}  // namespace godwit
