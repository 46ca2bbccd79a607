// InstanceMaker turns a channel's configuration into an Instance that is ready for create: plugin loaded, settings
// checked, secrets read. Every fault is reported, in words for the operator.
//
// One thread at a time. What it loads stays loaded.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/channels/instance.hpp"
#include "broker/channels/loader.hpp"
#include "broker/channels/plugin_host.hpp"

namespace godwit::channels {

class InstanceMaker {
 public:
  InstanceMaker(Loader::Options options, Machinery& machinery) : loader_(std::move(options)), machinery_(machinery) {}

  // `stand`: a first instance serves at once, its successors wait. Null: a fault that is no warning was added.
  std::unique_ptr<Instance> make(ChannelNo number, const ChannelConfig& config, PresenceGate::Stand stand,
                                 std::vector<ChannelFault>& faults);
  // The step at which the last make() ended: "copy", "check", "load" or "config".
  const char* last_step() const { return is_loaded_ ? "config" : loader_.last_step(); }

  // A channel's settings against the schema and the words of its plugin.
  static std::optional<PreparedConfig> check(const ChannelType& type, const ChannelConfig& config,
                                             std::vector<ChannelFault>& faults);

  // Whether the plugin's file is another one than `plugin` was loaded from. A file that cannot be read is not.
  bool has_changed_on_disk(const Plugin& plugin, const std::string& name) const;

 private:
  Loader loader_;
  Machinery& machinery_;
  bool is_loaded_ = false;
  std::set<std::string> single_;  // plugins that allow one instance, and have it
};

}  // namespace godwit::channels
