#include "broker/app/config.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "broker/app/yaml_section.hpp"
#include "broker/base/nearest.hpp"

namespace godwit {
namespace {

constexpr uint64_t kKiB = 1024, kMiB = kKiB * 1024, kGiB = kMiB * 1024;
constexpr int64_t kSecond = 1000, kHour = 3600 * kSecond, kDay = 24 * kHour;
const std::vector<std::string> kPriorityNames{"critical", "high", "normal", "low"};

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

std::string read_name(YamlSection& s, std::string_view key) {
  std::string name = s.required_text(key);
  if (!name.empty() && !is_name(name))
    s.fault(key, "may hold letters, digits, '-', '_' and '.', up to 64, got '" + name + "'");
  return name;
}

HttpConfig read_http(YamlSection s) {
  HttpConfig http;
  if (auto listen = s.texts("listen"); !listen.empty()) http.listen = std::move(listen);
  http.threads = static_cast<unsigned>(s.integer("threads", http.threads, 1, 64));
  http.proxy = s.text("proxy");
  s.finish();
  return http;
}

std::vector<std::string> read_keys(YamlSection& s, std::string_view key) {
  std::vector<std::string> keys = s.texts(key);
  for (const std::string& k : keys) {
    const bool hashed = k.starts_with("sha256:");
    const auto is_hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
    if (hashed && (k.size() != 7 + 64 || !std::all_of(k.begin() + 7, k.end(), is_hex)))
      s.fault(key, "sha256: must be followed by 64 hexadecimal digits");
    else if (!hashed && k.size() < 16)
      s.fault(key, "a key must be at least 16 characters; `godwit keys generate` makes one");
  }
  return keys;
}

AppConfig read_app(YamlSection s) {
  AppConfig app;
  app.id = read_name(s, "id");
  app.server_keys = read_keys(s, "server_keys");
  app.client_keys = read_keys(s, "client_keys");
  app.allow_ips = s.texts("allow_ips");
  app.channels = s.texts("channels");
  app.requests_per_s = s.number("requests_per_s", 0, 0, 1e9);
  app.messages_per_s = s.number("messages_per_s", 0, 0, 1e9);
  app.routing = s.choice("routing", {"best", "all", "ordered"}, app.routing);
  if (app.routing == "ordered" && app.channels.empty())
    s.fault("routing", "'ordered' needs the order: list the app's channels");
  s.finish();
  return app;
}

ChannelInstanceConfig read_channel(YamlSection s) {
  ChannelInstanceConfig channel;
  channel.line = s.line();
  channel.name = read_name(s, "name");
  channel.plugin = s.required_text("plugin");
  channel.isolation = s.choice("isolation", {"inline", "process"}, channel.isolation);
  channel.enabled = s.flag("enabled", true);
  channel.prior = s.number("prior", 0, 0.01, 1);  // 0: not said
  channel.manufacturer_priors = s.numbers("manufacturer_priors", 0.01, 1);
  channel.cost = s.number("cost", channel.cost, 0, 1e6);
  channel.coverage = s.number("coverage", channel.coverage, 0.05, 1);
  channel.path = s.choice("path", {"data", "sms"}, channel.path);
  channel.connect = s.texts("connect");
  channel.config_json = s.json("config", channel.lines);
  s.finish();
  return channel;
}

std::array<double, 4> read_by_priority(YamlSection s, std::array<double, 4> values, double min, double max) {
  for (size_t i = 0; i < values.size(); ++i) values[i] = s.number(kPriorityNames[i], values[i], min, max);
  s.finish();
  return values;
}

std::vector<std::string> read_segment(YamlSection& s) {
  std::vector<std::string> keys = s.texts("segment");
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == "manufacturer") {
      s.fault("segment", "segments lie inside manufacturers anyway: leave 'manufacturer' out");
    } else if (keys[i] != "os" && keys[i] != "region" && keys[i] != "app_version") {
      s.fault("segment", "must be a list of os, region, app_version, got '" + keys[i] + "'");
    } else if (std::find(keys.begin(), keys.begin() + static_cast<ptrdiff_t>(i), keys[i]) !=
               keys.begin() + static_cast<ptrdiff_t>(i)) {
      s.fault("segment", "'" + keys[i] + "' is listed twice");
    }
  }
  return keys;
}

RoutingConfig read_routing(YamlSection s) {
  RoutingConfig r;
  r.half_life_shared_ms = s.duration_ms("half_life", r.half_life_shared_ms, 60 * kSecond, 365 * kDay);
  r.half_life_device_ms = s.duration_ms("half_life_device", r.half_life_device_ms, 60 * kSecond, 365 * kDay);
  r.exploration = read_by_priority(s.section("exploration"), r.exploration, 0, 0.1);
  r.value = read_by_priority(s.section("value"), r.value, 0.001, 1e6);  // worth nothing: any channel would do
  r.max_sends = static_cast<unsigned>(s.integer("max_sends", r.max_sends, 1, 8));
  r.min_wait_ms = s.duration_ms("min_wait", r.min_wait_ms, 50, kHour);
  r.max_wait_ms = s.duration_ms("max_wait", r.max_wait_ms, 100, kDay);
  if (r.min_wait_ms > r.max_wait_ms) s.fault("min_wait", "must not be longer than max_wait");
  r.duplicate_penalty = s.number("duplicate_penalty", r.duplicate_penalty, 0, 1e6);
  if (s.has("segment")) r.segment = read_segment(s);
  r.audit = s.number("audit", r.audit, 0, 0.5);
  r.seed = static_cast<uint64_t>(s.integer("seed", 0, 0, INT64_MAX));
  YamlSection log = s.section("decision_log");
  r.decision_log_share = log.number("share", r.decision_log_share, 0, 1);
  r.decision_log_bytes = log.bytes("size", r.decision_log_bytes, kKiB, 64 * kGiB);
  log.finish();
  s.finish();
  return r;
}

LimitsConfig read_limits(YamlSection s) {
  LimitsConfig l;
  l.body_bytes = s.bytes("body", l.body_bytes, 4 * kKiB, 16 * kMiB);
  l.content_bytes = s.bytes("content", l.content_bytes, 256, kMiB);
  l.open_deliveries =
      static_cast<uint64_t>(s.integer("open_deliveries", int64_t(l.open_deliveries), 1000, 1'000'000'000));
  l.finished_deliveries =
      static_cast<uint64_t>(s.integer("finished_deliveries", int64_t(l.finished_deliveries), 0, 1'000'000'000));
  l.connections_per_address =
      static_cast<uint64_t>(s.integer("connections_per_address", int64_t(l.connections_per_address), 1, 1'000'000));
  l.default_ttl_ms = s.duration_ms("default_ttl", l.default_ttl_ms, 0, 28 * kDay);
  l.receipt_wait_ms = s.duration_ms("receipt_wait", l.receipt_wait_ms, kSecond, 7 * kDay);
  l.drain_ms = s.duration_ms("drain", l.drain_ms, 0, kHour);
  s.finish();
  return l;
}

StorageConfig read_storage(YamlSection s) {
  StorageConfig st;
  st.segment_bytes = s.bytes("segment", st.segment_bytes, kMiB, 4 * kGiB);
  st.queue_bytes = s.bytes("queue", st.queue_bytes, kMiB, 4 * kGiB);
  st.ballast_bytes = s.bytes("ballast", st.ballast_bytes, 0, 64 * kGiB);
  st.query_window_ms = s.duration_ms("query_window", st.query_window_ms, 60 * kSecond, 365 * kDay);
  st.checkpoint_every_ms = s.duration_ms("checkpoint_every", st.checkpoint_every_ms, kSecond, kHour);
  s.finish();
  return st;
}

LogConfig read_log(YamlSection s) {
  LogConfig log;
  log.level = s.choice("level", {"trace", "debug", "info", "warn", "error"}, log.level);
  log.format = s.choice("format", {"text", "json"}, log.format);
  s.finish();
  return log;
}

// What one section cannot see: names that must be unique, and names that must exist.
void check_references(const Config& config, YamlSection& root) {
  std::set<std::string> apps, channels;
  std::vector<std::string> channel_names;
  for (const ChannelInstanceConfig& c : config.channels) {
    if (!channels.insert(c.name).second) root.fault("channels", "two channels have the name '" + c.name + "'");
    channel_names.push_back(c.name);
  }
  if (config.channels.size() > 32) root.fault("channels", "at most 32 channel instances can be configured");
  std::set<std::string> keys(config.admin_keys.begin(), config.admin_keys.end());
  for (const AppConfig& app : config.apps) {
    if (!apps.insert(app.id).second) root.fault("apps", "two apps have the id '" + app.id + "'");
    for (const std::string& name : app.channels)
      if (!channels.contains(name))
        root.fault("apps", "app '" + app.id + "' names the channel '" + name + "', which is not configured" +
                               did_you_mean(name, channel_names));
    for (const auto* list : {&app.server_keys, &app.client_keys})
      for (const std::string& key : *list)
        if (!keys.insert(key).second)
          root.fault("apps", "a key of app '" + app.id + "' is used twice; keys must differ");
  }
}

}  // namespace

std::string ConfigFault::line_text(const std::filesystem::path& file) const {
  std::string out = file.string();
  if (line > 0) out += ":" + std::to_string(line);
  if (!key.empty()) out += ": " + key;
  return out + ": " + text;
}

ConfigResult parse_config(const std::string& text, const std::filesystem::path& file) {
  ConfigResult result;
  Config& config = result.config;
  config.file = file;
  YAML::Node node;
  try {
    node = YAML::Load(text);
  } catch (const YAML::Exception& e) {
    result.faults.push_back({e.mark.is_null() ? 0 : e.mark.line + 1, "", "is not YAML: " + e.msg});
    return result;
  }
  try {
    YamlSection root(node, "", result.faults);
    config.data_dir = root.required_text("data_dir");
    config.plugin_dir = root.text("plugin_dir");
    config.http = read_http(root.section("http"));
    config.admin_keys = read_keys(root, "admin_keys");
    for (YamlSection& s : root.sections("apps")) config.apps.push_back(read_app(s));
    for (YamlSection& s : root.sections("channels")) config.channels.push_back(read_channel(s));
    config.routing = read_routing(root.section("routing"));
    config.limits = read_limits(root.section("limits"));
    config.storage = read_storage(root.section("storage"));
    config.log = read_log(root.section("log"));
    root.section("metrics").finish();
    if (root.has("cluster")) root.fault("cluster", "is not available in this version; remove it to run one node");
    if (config.apps.empty() && result.faults.empty()) root.fault("apps", "is empty: name at least one app");
    check_references(config, root);
    root.finish();
  } catch (const YAML::Exception& e) {  // a tag or an alias that the reader does not expect
    result.faults.push_back({e.mark.is_null() ? 0 : e.mark.line + 1, "", e.msg});
  }
  std::stable_sort(result.faults.begin(), result.faults.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return result;
}

ConfigResult load_config(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || !text) {
    ConfigResult result;
    result.faults.push_back({0, "", std::string("cannot be read: ") + std::strerror(errno ? errno : EISDIR)});
    return result;
  }
  return parse_config(text.str(), file);
}

}  // namespace godwit
