#include "plugins/xmpp/plugin/config.hpp"

#include <charconv>
#include <godwit/json.hpp>

#include "plugins/xmpp/link/connection.hpp"

namespace xmpp {
namespace {

// One of `names`, whose values are in the same order; nothing: the text is none of them.
template <class T>
godwit::Result<T> choice(const std::string& text, const char* property,
                         std::initializer_list<std::pair<const char*, T>> names) {
  std::string list;
  for (const auto& [name, value] : names) {
    if (text == name) return value;
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  return godwit::invalid("`" + std::string(property) + "` is \"" + text + "\"; it must be one of " + list,
                         "/" + std::string(property));
}

bool is_loopback(const std::string& server) {
  const std::string host = host_of(server);
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool has_port(const std::string& server) {
  const size_t colon = server.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  uint32_t port = 0;
  const char* end = server.data() + server.size();
  const auto [at, error] = std::from_chars(server.data() + colon + 1, end, port);
  return error == std::errc() && at == end && port > 0 && port < 65'536;
}

}  // namespace

godwit::Result<Settings> parse_settings(std::string_view text) {
  auto json = godwit::parse_json(text);
  if (!json) return std::move(json).error();
  godwit::ConfigReader read(*json);
  Settings s;
  s.server = read.get<std::string>("server");
  s.jid_text = read.get<std::string>("jid");
  s.password = read.get<std::string>("password");
  s.ca_file = read.get<std::string>("ca_file", "");
  s.domain = read.get<std::string>("domain", "");
  s.api_key = read.get<std::string>("api_key", s.api_key);
  s.window = read.get<uint32_t>("window", s.window);
  const auto mode_text = read.get<std::string>("mode", "component");
  const auto dialect_text = read.get<std::string>("dialect", "xmpp");
  const auto offline_text = read.get<std::string>("offline", "broker");
  auto tls_text = read.get<std::string>("tls", "");
  if (!read) return read.error();

  const auto mode = choice<Mode>(mode_text, "mode", {{"component", Mode::component}, {"client", Mode::client}});
  if (!mode) return mode.error();
  s.mode = *mode;
  if (tls_text.empty()) tls_text = s.mode == Mode::client ? "required" : "off";
  const auto tls = choice<TlsMode>(
      tls_text, "tls", {{"required", TlsMode::required}, {"optional", TlsMode::optional}, {"off", TlsMode::off}});
  if (!tls) return tls.error();
  s.tls = *tls;
  const auto dialect = choice<DialectKind>(dialect_text, "dialect",
                                           {{"xmpp", DialectKind::xmpp}, {"androidpn", DialectKind::androidpn}});
  if (!dialect) return dialect.error();
  s.dialect = *dialect;
  const auto offline = choice<bool>(offline_text, "offline", {{"broker", false}, {"server", true}});
  if (!offline) return offline.error();
  s.holds_at_server = *offline;

  const auto jid = Jid::parse(s.jid_text);
  if (!jid)
    return godwit::invalid("`jid` is \"" + s.jid_text.substr(0, 80) +
                               "\", which is no XMPP address; a component is push.example.org, a client "
                               "broker@example.org",
                           "/jid");
  s.jid = *jid;
  if (!s.domain.empty()) {
    const auto domain = Jid::parse(s.domain);
    if (!domain || !domain->local.empty() || !domain->resource.empty())
      return godwit::invalid("`domain` must be a domain such as example.org", "/domain");
    s.domain = domain->domain;
  }
  if (!has_port(s.server))
    return godwit::invalid("`server` is \"" + s.server.substr(0, 80) + "\"; it must be HOST:PORT", "/server");
  if (s.window == 0 || s.window > 65'536) return godwit::invalid("`window` must be between 1 and 65536", "/window");
  return s;
}

void check_settings(const Settings& s, godwit::Report& report) {
  if (s.mode == Mode::client && s.jid.local.empty())
    report.error("/jid", "in mode client `jid` is an account: user@" + s.jid.domain);
  if (s.mode == Mode::component && s.tls == TlsMode::optional)
    report.error("/tls",
                 "a component link cannot agree on TLS on the way: `off` (loopback, tunnel) or `required` (the "
                 "listener speaks TLS from the first byte)");
  if (s.tls == TlsMode::off && !is_loopback(s.server))
    report.warning("/tls", "without TLS the password's digest and every message travel in clear text to " + s.server);
  if (s.dialect == DialectKind::androidpn && s.holds_at_server)
    report.error("/offline", "no server keeps the IQs of dialect androidpn: leave `offline` at broker");
}

}  // namespace xmpp
