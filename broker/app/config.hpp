// Config: godwit.yaml as values, checked. What a key means for its user stands in docs/configuration.md.
//
// load_config reports every fault at once, each with line and key, and answers no half-read configuration. Values may
// hold
// ${env:NAME} and ${file:PATH}; inside `channels[].config` they are left for the plugin host, which knows from the
// plugin's schema which properties are secrets that must be re-read when their file changes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "broker/base/result.hpp"

namespace godwit {

struct HttpConfig {
  std::vector<std::string> listen = {"127.0.0.1:8480"};
  unsigned threads = 2;
  std::string proxy;  // for calls to vendors: http://[user:password@]host:port; empty: none
};

struct AppConfig {
  std::string id;
  std::vector<std::string> server_keys, client_keys;  // plain, or sha256:HEX
  std::vector<std::string> allow_ips;                 // CIDR; empty: any address
  std::vector<std::string> channels;                  // empty: every channel
  double requests_per_s = 0, messages_per_s = 0;      // 0: no limit of its own
  std::string routing = "best";                       // of messages that name none: best | all | ordered
};

struct ChannelInstanceConfig {
  std::string name;
  std::string plugin;                // short name, or a path to a .so
  std::string isolation = "inline";  // inline | process
  bool enabled = true;
  std::string config_json = "{}";    // checked against the plugin's schema by the plugin host
  std::map<std::string, int> lines;  // JSON pointer inside `config` -> line, for its error texts
  int line = 0;
  // What the operator believes of the channel before anything is measured.
  double prior = 0;  // 0: the plugin's own
  std::map<std::string, double> manufacturer_priors;
  double cost = -1;                  // of a send, in units of routing.value; below 0: the plugin's own
  double coverage = 1;               // share of deliveries whose receipt comes back
  std::string path = "data";         // or "sms": reaches phones without a data network
  std::vector<std::string> connect;  // addresses that devices are told to connect to; empty: where the channel listens
};

struct RoutingConfig {
  int64_t half_life_shared_ms = 24 * 3'600'000, half_life_device_ms = 240 * 3'600'000;
  std::array<double, 4> exploration = {0, 0.0005, 0.002, 0.002};  // critical, high, normal, low
  std::array<double, 4> value = {10, 2, 0.5, 0.3};
  unsigned max_sends = 4;
  int64_t min_wait_ms = 500, max_wait_ms = 120'000;
  double duplicate_penalty = 0.3;
  std::vector<std::string> segment = {"os", "region"};  // what splits a manufacturer's phones: also app_version
  double audit = 0;   // share of normal and low first sends that are drawn evenly, for replay
  uint64_t seed = 0;  // 0: from the system
  double decision_log_share = 0.01;
  uint64_t decision_log_bytes = 64ull << 20;
};

struct LimitsConfig {
  uint64_t body_bytes = 256 << 10, content_bytes = 4096;
  uint64_t open_deliveries = 1'000'000;    // beyond it new messages are refused with Retry-After
  uint64_t finished_deliveries = 500'000;  // kept in memory for queries; older ones are read from the journal
  uint64_t connections_per_address = 1000;
  int64_t default_ttl_ms = 86'400'000, receipt_wait_ms = 600'000;
  int64_t drain_ms = 20'000;
};

struct StorageConfig {
  uint64_t segment_bytes = 128ull << 20;
  uint64_t queue_bytes = 64ull << 20;
  uint64_t ballast_bytes = 64ull << 20;
  int64_t query_window_ms = 86'400'000;
  int64_t checkpoint_every_ms = 30'000;
};

struct LogConfig {
  std::string level = "info";   // trace | debug | info | warn | error
  std::string format = "text";  // text | json
};

struct Config {
  std::filesystem::path file;  // where it came from
  std::filesystem::path data_dir;
  std::filesystem::path plugin_dir;  // empty: ../lib/godwit beside the program
  HttpConfig http;
  std::vector<std::string> admin_keys;
  std::vector<AppConfig> apps;
  std::vector<ChannelInstanceConfig> channels;
  RoutingConfig routing;
  LimitsConfig limits;
  StorageConfig storage;
  LogConfig log;
};

struct ConfigFault {
  int line = 0;      // 1-based; 0 when the file as a whole is meant
  std::string key;   // apps[0].server_keys
  std::string text;  // what is wrong and what to do

  std::string line_text(const std::filesystem::path& file) const;  // "godwit.yaml:12: apps[0].id: …"
};

struct ConfigResult {
  Config config;
  std::vector<ConfigFault> faults;  // empty: config may be used
};

ConfigResult load_config(const std::filesystem::path& file);
ConfigResult parse_config(const std::string& text, const std::filesystem::path& file);

}  // namespace godwit
