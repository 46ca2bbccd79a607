#include "broker/dispatch/parcel.hpp"

namespace godwit::dispatch {

std::string address_of(std::string_view app, std::string_view device_id, std::string_view token) {
  if (!token.empty()) return std::string(token);
  std::string out;
  out.reserve(app.size() + 1 + device_id.size());
  out += app;
  out += '/';
  out += device_id;
  return out;
}

AppDevice split_address(std::string_view address) {
  const size_t slash = address.find('/');
  if (slash == std::string_view::npos) return {};
  return {address.substr(0, slash), address.substr(slash + 1)};
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[c & 0xf];
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string device_extra(const Registry& registry, DeviceNo device) {
  std::string out;
  out.reserve(128);
  const auto member = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += out.empty() ? '{' : ',';
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
  };
  member("device_id", registry.id_of(device));
  member("manufacturer", registry.manufacturer_of(device));
  member("platform", registry.platform_of(device));
  member("os_version", registry.os_version_of(device));
  out += '}';
  return out;
}

std::string_view override_for(const Message& m, std::string_view channel, std::string_view plugin) {
  std::string_view found;
  for (const auto& [name, json] : m.overrides) {
    if (name == channel) return json;
    if (name == plugin) found = json;
  }
  return found;
}

}  // namespace godwit::dispatch
