// What godwit.yaml says of an APNs channel, as the plugin uses it. Secrets are names here.
#pragma once

#include <cstdint>
#include <string>

#include <godwit/json.hpp>

namespace apns {

enum class Environment : uint8_t { production, sandbox };

struct Config {
  std::string topic, team_id, key_id, key_name, certificate_name, certificate_key_name;
  std::string origins[2], manage_origins[2];  // by Environment
  std::string ca_file;
  Environment environment = Environment::production;
  bool arrival_receipts = true;
  uint32_t connections = 4, max_streams = 0, window = 4000;
  uint32_t request_timeout_ms = 15'000, connect_timeout_ms = 5000, idle_timeout_ms = 3'600'000,
           ping_interval_ms = 60'000;

  bool uses_certificate() const { return !certificate_name.empty(); }
  static godwit::Result<Config> parse(const godwit::Json& json);
};

}  // namespace apns
