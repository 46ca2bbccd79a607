#include "config.hpp"

namespace apns {
namespace {

// Plain HTTP would show the token or the messages to everybody on the way; a test on this machine may do so.
bool is_safe(std::string_view origin) {
  if (!origin.starts_with("http://")) return true;
  const std::string_view host = origin.substr(7, origin.find_first_of(":/", 7) - 7);
  return host == "localhost" || origin.starts_with("http://[::1]") ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

}  // namespace

godwit::Result<Config> Config::parse(const godwit::Json& json) {
  godwit::ConfigReader read(json);
  Config c;
  c.topic = read.get<std::string>("topic");
  c.team_id = read.get<std::string>("team_id", "");
  c.key_id = read.get<std::string>("key_id", "");
  c.key_name = read.get<std::string>("key", "");
  c.certificate_name = read.get<std::string>("certificate_file", "");
  c.certificate_key_name = read.get<std::string>("certificate_key", "");
  c.origins[0] = read.get<std::string>("origin", "https://api.push.apple.com:443");
  c.origins[1] = read.get<std::string>("sandbox_origin", "https://api.sandbox.push.apple.com:443");
  c.manage_origins[0] = read.get<std::string>("manage_origin", "https://api-manage-broadcast.push.apple.com:2196");
  c.manage_origins[1] =
      read.get<std::string>("sandbox_manage_origin", "https://api-manage-broadcast.sandbox.push.apple.com:2195");
  c.ca_file = read.get<std::string>("ca_file", "");
  if (read.get<std::string>("environment", "production") == "sandbox") c.environment = Environment::sandbox;
  c.arrival_receipts = read.get<bool>("arrival_receipts", true);
  c.connections = read.get<uint32_t>("connections", 4);
  c.max_streams = read.get<uint32_t>("max_streams", 0);
  c.window = read.get<uint32_t>("window", 4000);
  c.request_timeout_ms = read.get<uint32_t>("request_timeout_ms", 15'000);
  c.connect_timeout_ms = read.get<uint32_t>("connect_timeout_ms", 5000);
  c.idle_timeout_ms = read.get<uint32_t>("idle_timeout_ms", 3'600'000);
  c.ping_interval_ms = read.get<uint32_t>("ping_interval_ms", 60'000);
  if (!read) return read.error();
  for (const auto& [origin, where] :
       {std::pair{c.origins[0], "/origin"}, std::pair{c.origins[1], "/sandbox_origin"},
        std::pair{c.manage_origins[0], "/manage_origin"}, std::pair{c.manage_origins[1], "/sandbox_manage_origin"}})
    if (!is_safe(origin)) return godwit::invalid("must begin with https:// (http:// goes to this machine only)", where);

  if (c.uses_certificate() && !c.key_name.empty())
    return godwit::invalid("is given beside `certificate_file`: choose one way to prove who you are", "/key");
  if (c.uses_certificate()) return c;
  if (c.key_name.empty()) return godwit::invalid("is missing: give the .p8 key, or `certificate_file`", "/key");
  if (c.team_id.empty()) return godwit::invalid("is missing: the key is used together with the team's ID", "/team_id");
  if (c.key_id.empty()) return godwit::invalid("is missing: the 10 characters in the key file's name", "/key_id");
  return c;
}

}  // namespace apns
