#include "broker/channels/instance_maker.hpp"

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

// A plugin may name a field instead of pointing at it.
std::string as_pointer(const std::string& where) {
  return where.empty() || where.starts_with('/') ? where : "/" + where;
}

}  // namespace

std::unique_ptr<Instance> InstanceMaker::make(ChannelNo number, const ChannelConfig& config, PresenceGate::Stand stand,
                                              std::vector<ChannelFault>& faults) {
  const auto fault = [&](std::string text) {
    faults.push_back({config.name, "", std::move(text)});
    return nullptr;
  };
  is_loaded_ = false;
  if (config.isolation != "inline")
    return fault(config.isolation == "process" ? "isolation 'process' is not available in this version; use 'inline'"
                                               : "isolation must be 'inline', got '" + config.isolation + "'");
  Result<std::shared_ptr<const Plugin>> plugin = loader_.load(config.plugin);
  if (!plugin) return fault(plugin.error().message);
  is_loaded_ = true;
  if ((*plugin)->flags & GW_ENTRY_ONLY_PROCESS)
    return fault((*plugin)->file.string() +
                 ": must run in a process of its own, which is not available in this version");
  if (((*plugin)->flags & GW_ENTRY_ONE_INSTANCE) && !single_.insert((*plugin)->sha256_hex).second)
    return fault((*plugin)->file.string() + ": allows only one instance in a process");
  Result<const ChannelType*> type = pick_type(**plugin, config.plugin);
  if (!type) return fault(type.error().message);
  std::optional<PreparedConfig> prepared = check(**type, config, faults);
  if (!prepared) return nullptr;
  auto instance = std::make_unique<Instance>(number, config.name, config.plugin, *plugin, **type, std::move(*prepared),
                                             machinery_, stand);
  const std::vector<ConfigFault> unreadable = instance->load_secrets();
  for (const ConfigFault& f : unreadable) faults.push_back({config.name, f.pointer, f.text});
  return unreadable.empty() ? std::move(instance) : nullptr;
}

std::optional<PreparedConfig> InstanceMaker::check(const ChannelType& type, const ChannelConfig& config,
                                                   std::vector<ChannelFault>& faults) {
  std::vector<ConfigFault> found;
  std::optional<PreparedConfig> prepared = prepare_config(type.config_schema, config.config, found);
  for (ConfigFault& f : found) faults.push_back({config.name, f.pointer, f.text});
  if (!prepared || !type.ops.check_config) return prepared;

  Diagnosis said;
  const int32_t status = guard([&] { return type.ops.check_config(to_gw(prepared->json), said.get()); }, &said);
  for (const Diagnosis::Report& r : said.reports())
    if (r.severity >= GW_DIAG_WARNING)
      faults.push_back({config.name, as_pointer(r.where), r.text, status == GW_OK || r.severity < GW_DIAG_ERROR});
  if (status == GW_OK) return prepared;
  if (said.text().empty()) faults.push_back({config.name, "", "its check_config failed with " + status_text(status)});
  return std::nullopt;
}

bool InstanceMaker::has_changed_on_disk(const Plugin& plugin, const std::string& name) const {
  const Result<std::string> hash = loader_.hash_of(name);
  return hash && *hash != plugin.sha256_hex;
}

}  // namespace godwit::channels
