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

bool read(const Json& value, bool& out) {
  if (!value.is_boolean()) return false;
  out = value.get<bool>();
  return true;
}
bool read_tls(const Json& value, Settings& s) {
  if (!value.is_object()) return false;
  for (const auto& [key, item] : value.items()) {
    std::string* const field = key == "listen"      ? &s.tls
                               : key == "websocket" ? &s.tls_websocket
                               : key == "cert_file" ? &s.tls_cert_file
                               : key == "key_file"  ? &s.tls_key_file
                                                    : nullptr;
    if (field && !read(item, *field)) return false;
  }
  return true;
}

bool read_property(const std::string& key, const Json& value, Settings& s) {
  if (key == "tcp") return read(value, s.tcp);
  if (key == "websocket") return read(value, s.websocket);
  if (key == "tls") return read_tls(value, s);
  if (key == "max_connections") return read(value, s.max_connections);
  if (key == "reactors") return read(value, s.reactors);
  if (key == "keep_alive") return read(value, s.keep_alive_max_s);
  if (key == "keep_alive_min") return read(value, s.keep_alive_min_s);
  if (key == "keep_alive_first") return read(value, s.keep_alive_first_s);
  if (key == "offline_hold") return read(value, s.offline_hold_s);
  if (key == "window") return read(value, s.window);
  if (key == "device_window") return read(value, s.device_window);
  if (key == "device_queue") return read(value, s.device_queue);
  if (key == "connect_rate") return read(value, s.connect_rate);
  if (key == "drain_rate") return read(value, s.drain_rate);
  if (key == "server_reference") return read(value, s.server_reference);
  if (key == "server_moved") return read(value, s.server_moved);
  return true;
}

void check_address(const std::string& address, const std::string& property, godwit::Report& report) {
  if (address.empty()) return;
  const size_t colon = address.rfind(':');
  const std::string_view port =
      colon == std::string::npos ? std::string_view() : std::string_view(address).substr(colon + 1);
  uint32_t number = 65'536;
  std::from_chars(port.data(), port.data() + port.size(), number);
  if (number > 65'535)
    report.error("/" + property,
                 "`" + property + "` is \"" + address + "\"; it must be ADDRESS:PORT with a port up to 65535");
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
  check_address(s.tcp, "tcp", report);
  check_address(s.websocket, "websocket", report);
  check_address(s.tls, "tls/listen", report);
  check_address(s.tls_websocket, "tls/websocket", report);
  const bool has_tls = !s.tls.empty() || !s.tls_websocket.empty();
  if (s.tcp.empty() && s.websocket.empty() && !has_tls)
    report.error("/tcp", "no listener is left; set `tcp`, `websocket` or `tls`");
  if (has_tls && (s.tls_cert_file.empty() || s.tls_key_file.empty()))
    report.error("/tls", "TLS needs `cert_file` and `key_file` (PEM)");
  if (s.server_moved && s.server_reference.empty())
    report.error("/server_moved", "`server_moved` does not say where to; set `server_reference` to host:port");
  if (s.keep_alive_min_s > s.keep_alive_max_s)
    report.error("/keep_alive_min", "`keep_alive_min` is " + std::to_string(s.keep_alive_min_s) +
                                        ", more than `keep_alive` (" + std::to_string(s.keep_alive_max_s) +
                                        "); lower it or raise the other");
}

}  // namespace selfconn
