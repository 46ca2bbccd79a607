#include "broker/app/check_config.hpp"

#include <stdlib.h>

#include "broker/api/api_server.hpp"
#include "broker/app/module_options.hpp"
#include "broker/base/clock.hpp"
#include "broker/net/proxy.hpp"
#include "broker/net/vendor_client.hpp"
#include "broker/storage/memory/memory_catalogue.hpp"

namespace godwit {

void check_config(ConfigResult& result) {
  if (const Result<void> keys = check_api_keys(api_keys(result.config)); !keys)
    result.faults.push_back({0, keys.error().where, keys.error().message});
  if (const std::string& proxy = result.config.http.proxy; !proxy.empty())
    if (const auto parsed = net::Proxy::parse(proxy); !parsed)
      result.faults.push_back({0, "http.proxy", parsed.error().message});

  // Copies of the plugins go to a folder of our own: the data directory may belong to a broker that is running.
  std::string folder = (std::filesystem::temp_directory_path() / "godwit-check-XXXXXX").string();
  if (!mkdtemp(folder.data())) {
    result.faults.push_back({0, "", "cannot make a temporary folder " + folder});
    return;
  }
  {
    // What a plugin asks for in its create must be on offer; nothing of it is used before a start.
    SystemClock clock;
    MemoryCatalogue catalogue;
    net::VendorClient http(clock, {.proxy = result.config.http.proxy, .timing = {}});
    const auto verify = [](std::string_view) -> Result<channels::KnownDevice> {
      return Error{Code::forbidden, "only checking", {}};
    };
    channels::PluginHostOptions options;
    options.data_dir = folder;
    if (!result.config.plugin_dir.empty()) options.plugin_dirs = {result.config.plugin_dir};
    std::vector<channels::ChannelFault> faults;
    auto host = channels::PluginHost::open(
        channel_configs(result.config), options,
        {.clock = clock, .catalogue = &catalogue, .http = &http, .verify_credential = verify}, faults);
    for (const channels::ChannelFault& fault : faults)
      if (!fault.warning) result.faults.push_back(config_fault(result.config, fault));
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace godwit
