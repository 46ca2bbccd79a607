// Plugin: a loaded library, with everything that we need of it in own, full-size structs.
//
// Immutable after loading and safe from any thread. The library itself is never unloaded, so the function pointers and
// tables in here stay good for the life of the process.
#pragma once

#include <godwit/abi.h>
#include <godwit/ext/preview.h>
#include <godwit/ext/recall.h>
#include <godwit/ext/webhook.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::channels {

// One kind of channel that a library offers.
struct ChannelType {
  std::string id, name, vendor, version, license, docs_url;
  std::string config_schema, config_example;  // JSON
  gw_caps caps{};
  gw_channel_ops ops{};
  gw_webhook webhook{};  // size 0: not offered
  gw_preview preview{};  // size 0: not offered
  gw_recall recall{};    // size 0: not offered
};

struct Plugin {
  std::filesystem::path file;  // as the operator knows it
  std::filesystem::path copy;  // what is really mapped
  std::string sha256_hex;
  std::string sdk_version;
  uint16_t flags = 0;  // GW_ENTRY_*
  std::vector<ChannelType> types;
  std::shared_ptr<void> library;  // keeps the handle; shared because its type is nobody's business outside the loader
};

}  // namespace godwit::channels
