#include "broker/net/origin.hpp"

#include <algorithm>
#include <charconv>

namespace godwit::net {
namespace {

Error bad(std::string_view text, std::string_view why) {
  return {Code::invalid, "'" + std::string(text) + "' " + std::string(why) + "; expected https://host[:port]",
          "origin"};
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}
bool is_ipv6_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

}  // namespace

std::string Origin::text() const {
  return (tls ? "https://" : "http://") + bracketed(host) + ":" + std::to_string(port);
}

std::string Origin::authority() const {
  return port == (tls ? 443 : 80) ? bracketed(host) : bracketed(host) + ":" + std::to_string(port);
}

Result<Origin> Origin::parse(std::string_view text) {
  Origin origin;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    origin.tls = false;
    origin.port = 80;
  } else {
    return bad(text, "has no scheme");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) return bad(text, "has a path");
  if (rest.find('@') != std::string_view::npos) return bad(text, "has a user name");

  std::string_view port;
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return bad(text, "lacks the ']' of its address");
    origin.host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
    if (!std::all_of(origin.host.begin(), origin.host.end(), is_ipv6_character))
      return bad(text, "has a bad address in brackets");
  } else {
    const size_t colon = rest.find(':');
    origin.host = rest.substr(0, colon);
    if (colon != std::string_view::npos) port = rest.substr(colon);
    if (!std::all_of(origin.host.begin(), origin.host.end(), is_host_character))
      return bad(text, "has a bad host name");
  }
  if (origin.host.empty() || origin.host.size() > 253) return bad(text, "has no usable host name");
  if (!port.empty()) {
    unsigned number = 0;
    const auto [end, fault] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (port[0] != ':' || port.size() < 2 || fault != std::errc{} || end != port.data() + port.size() || number == 0 ||
        number > 65535)
      return bad(text, "has a bad port");
    origin.port = static_cast<uint16_t>(number);
  }
  return origin;
}

}  // namespace godwit::net
