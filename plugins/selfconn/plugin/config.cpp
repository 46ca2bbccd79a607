#include "plugins/selfconn/plugin/config.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

namespace selfconn {
namespace {

using Json = nlohmann::json;

// False: the property is there with another type; the host's schema check refuses that before, another host might not.
bool read(const Json& value, uint32_t& out) {
  if (!value.is_number_unsigned() || value > UINT32_MAX) return false;
  out = value.get<uint32_t>();
  return true;
}
bool read(const Json& value, std::string& out) {
  if (!value.is_string()) return false;
  out = value.get<std::string>();
  return true;
}

bool read_property(const std::string& key, const Json& value, Settings& s) {
  if (key == "tcp") return read(value, s.tcp);
  if (key == "max_connections") return read(value, s.max_connections);
  if (key == "reactors") return read(value, s.reactors);
  if (key == "keep_alive") return read(value, s.keep_alive_max_s);
  if (key == "keep_alive_min") return read(value, s.keep_alive_min_s);
  if (key == "offline_hold") return read(value, s.offline_hold_s);
  if (key == "window") return read(value, s.window);
  if (key == "device_window") return read(value, s.device_window);
  if (key == "device_queue") return read(value, s.device_queue);
  if (key == "connect_rate") return read(value, s.connect_rate);
  if (key == "drain_rate") return read(value, s.drain_rate);
  if (key == "server_reference") return read(value, s.server_reference);
  return true;
}

}  // namespace

godwit::Result<Settings> parse_settings(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return godwit::invalid("the configuration must be a JSON object");
  Settings s;
  for (const auto& [key, value] : json.items())
    if (!read_property(key, value, s))
      return godwit::invalid("`" + key + "` has the wrong type; see the schema", "/" + key);
  return s;
}

void check_settings(const Settings& s, godwit::Report& report) {
  const std::string_view port = std::string_view(s.tcp).substr(s.tcp.rfind(':') + 1);
  uint32_t number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  if (s.tcp.find(':') == std::string::npos || port.empty() || number > 65'535)
    report.error("/tcp", "`tcp` is \"" + s.tcp + "\"; it must be ADDRESS:PORT with a port up to 65535");
  if (s.keep_alive_min_s > s.keep_alive_max_s)
    report.error("/keep_alive_min", "`keep_alive_min` is " + std::to_string(s.keep_alive_min_s) +
                                        ", more than `keep_alive` (" + std::to_string(s.keep_alive_max_s) +
                                        "); lower it or raise the other");
}

}  // namespace selfconn
