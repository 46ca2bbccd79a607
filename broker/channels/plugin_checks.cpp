#include "broker/channels/plugin_checks.hpp"

#include <algorithm>
#include <godwit/table.hpp>
#include <nlohmann/json.hpp>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

Error bad(std::string text) {
  return {Code::invalid, std::move(text), {}};
}

bool is_type_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

Result<void> check_functions(const ChannelType& type) {
  const std::pair<const char*, bool> required[] = {{"create", type.ops.create != nullptr},
                                                   {"start", type.ops.start != nullptr},
                                                   {"submit", type.ops.submit != nullptr},
                                                   {"stop", type.ops.stop != nullptr},
                                                   {"destroy", type.ops.destroy != nullptr}};
  for (const auto& [name, there] : required)
    if (!there) return bad("its ops lack the required function '" + std::string(name) + "'");
  return {};
}

// Flags promise functions, and functions without their flag would never be called: both are defects of the plugin.
Result<void> read_extensions(ChannelType& type) {
  const auto find = [&](const char* id) -> const void* {
    const void* table = nullptr;
    if (type.ops.get_extension) guard([&] { table = type.ops.get_extension(to_gw(id)); });
    return table;
  };
  type.webhook = import_table(static_cast<const gw_webhook*>(find(GW_EXT_WEBHOOK)));
  type.preview = import_table(static_cast<const gw_preview*>(find(GW_EXT_PREVIEW)));
  type.recall = import_table(static_cast<const gw_recall*>(find(GW_EXT_RECALL)));

  if ((type.caps.flags & GW_CAP_WEBHOOK) && type.webhook.size == 0)
    return bad("it has the flag WEBHOOK, but no extension " GW_EXT_WEBHOOK);
  if (!(type.caps.flags & GW_CAP_WEBHOOK) && type.webhook.size != 0)
    return bad("it has the extension " GW_EXT_WEBHOOK ", but not the flag WEBHOOK");
  if (type.webhook.size != 0 && !type.webhook.parse) return bad("its extension " GW_EXT_WEBHOOK " lacks 'parse'");
  if (type.preview.size != 0 && !type.preview.render) return bad("its extension " GW_EXT_PREVIEW " lacks 'render'");
  if ((type.caps.flags & GW_CAP_RECALL) && type.recall.size == 0)
    return bad("it has the flag RECALL, but no extension " GW_EXT_RECALL);
  if (type.recall.size != 0 && !type.recall.recall) return bad("its extension " GW_EXT_RECALL " lacks 'recall'");
  return {};
}

Result<ChannelType> read_type(const gw_channel_type& raw) {
  if (!GW_HAS(&raw, ops)) return bad("the struct is too small (" + std::to_string(raw.size) + " bytes)");
  ChannelType type;
  type.id = from_gw(raw.id);
  if (!is_type_id(type.id)) return bad("its id must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-'");
  type.name = clean_text(raw.name, 128);
  type.vendor = clean_text(raw.vendor, 128);
  type.version = clean_text(raw.version, 64);
  type.license = clean_text(raw.license, 64);
  type.docs_url = clean_text(raw.docs_url, 512);
  if (type.name.empty() || type.version.empty()) return bad("its name or version is missing");
  type.config_schema = from_gw(raw.config_schema);
  type.config_example = from_gw(raw.config_example);
  if (!nlohmann::json::parse(type.config_schema, nullptr, false).is_object())
    return bad("its config_schema is no JSON object");
  if (!raw.caps) return bad("its caps are missing");
  if (!raw.ops) return bad("its ops are missing");
  type.caps = import_table(raw.caps);
  type.ops = import_table(raw.ops);
  if (!(type.caps.flags & GW_CAP_MULTICAST) && type.caps.max_targets > 1)
    return bad("it allows " + std::to_string(type.caps.max_targets) + " targets without the flag MULTICAST");
  if (Result<void> fine = check_functions(type); !fine) return std::move(fine).error();
  if (Result<void> fine = read_extensions(type); !fine) return std::move(fine).error();
  return type;
}

}  // namespace

Result<void> read_entry(const gw_entry& entry, Plugin& plugin) {
  if (!GW_HAS(&entry, types))
    return bad("its entry is too small (" + std::to_string(entry.size) + " bytes): not built with the SDK");
  if (entry.abi_major != GW_ABI_MAJOR)
    return bad("its entry says ABI " + std::to_string(entry.abi_major) + ", this broker speaks " +
               std::to_string(GW_ABI_MAJOR));
  if (entry.min_host_minor > GW_ABI_MINOR)
    return bad("it needs a broker with ABI " + std::to_string(GW_ABI_MAJOR) + "." +
               std::to_string(entry.min_host_minor) + " or newer, this one speaks " + std::to_string(GW_ABI_MAJOR) +
               "." + std::to_string(GW_ABI_MINOR));
  if (entry.type_count == 0 || entry.type_count > 64 || !entry.types) return bad("it offers no channel type");
  if (GW_HAS(&entry, sdk_version)) plugin.sdk_version = clean_text(entry.sdk_version, 64);
  plugin.flags = entry.flags;
  for (uint32_t i = 0; i < entry.type_count; ++i) {
    if (!entry.types[i]) return bad("channel type " + std::to_string(i) + " is NULL");
    Result<ChannelType> type = read_type(*entry.types[i]);
    if (!type) return std::move(type).error().with("channel type " + std::to_string(i));
    plugin.types.push_back(std::move(*type));
  }
  return {};
}

}  // namespace godwit::channels
