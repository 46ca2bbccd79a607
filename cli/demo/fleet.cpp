#include "cli/demo/fleet.hpp"

#include <nlohmann/json.hpp>

namespace godwit::cli {

using nlohmann::json;

const std::vector<std::string>& demo_makers() {
  static const std::vector<std::string> makers{"xiaomi", "huawei", "oppo"};
  return makers;
}

const std::vector<DemoChannel>& demo_channels() {
  static const std::vector<DemoChannel> channels{
      {"alpha", {{"xiaomi", 0.93}, {"huawei", 0.45}, {"oppo", 0.55}}},
      {"bravo", {{"xiaomi", 0.50}, {"huawei", 0.90}, {"oppo", 0.60}}},
      {"charlie", {{"xiaomi", 0.70}, {"huawei", 0.70}, {"oppo", 0.85}}},
      {"delta", {{"xiaomi", 0.40}, {"huawei", 0.40}, {"oppo", 0.40}}},
  };
  return channels;
}

std::string demo_config(const std::string& data_dir, int port) {
  // JSON is YAML; written by the library, so nothing needs quoting by hand.
  json config = {{"data_dir", data_dir},
                 {"http", {{"listen", "127.0.0.1:" + std::to_string(port)}}},
                 {"admin_keys", {"${env:GODWIT_ADMIN_KEY}"}},
                 {"apps", {{{"id", "demo"}, {"server_keys", {"${env:GODWIT_SERVER_KEY}"}}}}},
                 {"routing", {{"min_wait", "500ms"}, {"half_life", "10m"}}},
                 {"log", {{"level", "warn"}}},
                 {"channels", json::array()}};
  int seed = 1;
  for (const DemoChannel& c : demo_channels()) {
    const json settings = {{"deliver_by", c.deliver_by},
                           {"latency", {{"median_ms", 60}, {"sigma", 0.5}}},
                           {"receipt_kind", "device"},
                           {"seed", seed++}};
    config["channels"].push_back({{"name", c.name}, {"plugin", "loopback"}, {"config", settings}});
  }
  return config.dump(2);
}

std::string demo_device(int n) {
  json channels = json::object();
  for (const DemoChannel& c : demo_channels()) channels[c.name] = {{"token", c.name + "-" + std::to_string(n)}};
  const std::string& maker = demo_makers()[static_cast<size_t>(n) % demo_makers().size()];
  return json{{"user_id", "user-" + std::to_string(n)},
              {"platform", "android"},
              {"manufacturer", maker},
              {"os_version", "14"},
              {"app_version", "1.0"},
              {"channels", channels}}
      .dump();
}

}  // namespace godwit::cli
