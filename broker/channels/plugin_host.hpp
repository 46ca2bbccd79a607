// PluginHost is the broker's ChannelSet: it loads plugins, checks their configuration, runs one lane per channel
// instance, serves what plugins ask of their host, and ends it all in the right order.
//
// Life, driven by one thread (main): open -> start(sink) -> (reconfigure, reload)* -> stop. `open` does everything that
// can fail because of the operator (files, ABI, schema, secrets, check_config, create) and calls no plugin's start, so
// it also serves --check-config. The ChannelSet calls are safe from any thread from start until stop returned;
// `status`, `find` and `size` already after open. After stop returned the sink is never called again.
//
// A plugin that misbehaves is named in the log (`plugin-misbehaving`) and counted, never allowed to hurt the others: a
// lane that hangs costs one worker, for which a spare is started. If a plugin does not come back from stop, it is left
// behind on purpose (its code may still run): its memory is then never freed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/channels/port.hpp"

namespace godwit {
class Catalogue;
namespace net {
class HttpClient;
}
}  // namespace godwit

namespace godwit::channels {

struct ChannelConfig {
  std::string name;
  std::string plugin;                // short name, or a path to a .so
  std::string isolation = "inline";  // "process" is refused in this version
  std::string config = "{}";         // JSON object; ${env:NAME} and ${file:PATH} still inside
  bool enabled = true;               // false: loaded and checked, never started; its state is `stopped`
};

// What is wrong with a channel, or worth saying of it.
struct ChannelFault {
  std::string channel;  // the instance's name
  std::string pointer;  // JSON pointer inside its config; empty: the channel as a whole
  std::string text;     // what is wrong and what to do
  bool warning = false;
};

// Whose credential it is (godwit.credential/1).
struct KnownDevice {
  std::string app, device_id;
  uint64_t generation = 0;
  WallMs expires_ms = 0;
};

struct PluginHostOptions {
  std::filesystem::path data_dir;                  // copies of plugins go to <data_dir>/run/plugins
  std::vector<std::filesystem::path> plugin_dirs;  // for short names; empty: <program's folder>/../lib/godwit
  // godwit-plugin-check, for a first load in a child. Absent: the one beside the program, if it is there. Empty: none.
  std::optional<std::filesystem::path> checker;
  unsigned lane_threads = 2;        // lanes that can run at once; more only helps many busy channels
  unsigned blocking_threads = 2;    // kv, file reads, a plugin's own blocking work
  int64_t stop_patience_ms = 5000;  // then a plugin that does not come back from stop is left behind
  // Of a reload: how long a fresh instance may take to become ready, and the old one to finish.
  int64_t ready_patience_ms = 30'000, reload_drain_ms = 20'000;
  bool manual_time = false;  // tests: no timer thread, call turn_time() after moving the clock
};

// What the host asks of the rest of the broker. Everything outlives the PluginHost.
struct PluginHostPorts {
  const Clock& clock;
  Catalogue* catalogue = nullptr;   // for godwit.kv/1; null: not offered
  net::HttpClient* http = nullptr;  // for godwit.http/1; null: not offered
  // For godwit.credential/1; Code::forbidden with the reason. Any thread. Empty: not offered.
  std::function<Result<KnownDevice>(std::string_view credential)> verify_credential;
};

// One figure of the host or of a plugin, for /metrics. Names without the "godwit_" prefix.
struct MetricSample {
  enum class Kind : uint8_t { counter, gauge, histogram } kind = Kind::counter;
  std::string name, help;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;                                  // counter, gauge; histogram: the sum
  uint64_t count = 0;                                // histogram
  std::vector<std::pair<double, uint64_t>> buckets;  // histogram: upper bound, cumulated count
};

// For people: what GET /v1/channels shows beside the status.
struct ChannelDescription {
  ChannelStatus status;
  std::string plugin_name, license, docs_url, sdk_version, file;
  bool enabled = true;
  uint64_t misbehaviours = 0, late_settles = 0, forgotten = 0;
  std::vector<std::pair<std::string, std::string>> health;  // the plugin's own figures
};

class PluginHost : public ChannelSet {
 public:
  // Every fault of every channel is reported; no value if one of them is not a warning.
  static std::unique_ptr<PluginHost> open(std::vector<ChannelConfig> channels, PluginHostOptions options,
                                          PluginHostPorts ports, std::vector<ChannelFault>& faults);

  // Starts the enabled channels; returns when every plugin's start returned (they become ready by themselves). A
  // channel whose start fails is left `failed` and reported; the others run. `sink` outlives stop().
  virtual std::vector<ChannelFault> start(ChannelSink& sink) = 0;

  // Applies new configurations: live properties while the plugin runs; a channel with other changes, or whose plugin's
  // file is another one by now, gets a fresh instance (see Reloader). What is wrong is reported; that channel goes on
  // as it was. Channels are matched by name; new and missing ones are reported. Returns at once; `done` is called
  // exactly once, on the host's own thread, after all the others that were asked before.
  virtual void reconfigure(std::vector<ChannelConfig> channels, Callback<void(std::vector<ChannelFault>)> done) = 0;

  // Drains for up to `drain_ms`, then stops and destroys every instance. What is unsettled afterwards is settled
  // `unknown`. Answers the channels that did not end properly. Called by the destructor if need be (without draining).
  virtual std::vector<ChannelFault> stop(int64_t drain_ms) = 0;

  virtual std::vector<ChannelDescription> describe() const = 0;
  virtual void collect_metrics(const std::function<void(const MetricSample&)>& sink) const = 0;

  // REQUIRES: manual_time. Fires what is due now.
  virtual void turn_time() = 0;
};

}  // namespace godwit::channels
