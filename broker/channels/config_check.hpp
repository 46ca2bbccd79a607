// Checks a channel's configuration against the JSON Schema that its plugin publishes, and prepares what the plugin
// gets.
//
// In this order: unknown keys (with the nearest known one), references ${env:} and ${file:} in everything but secrets,
// defaults from the schema, then the schema itself. Every fault is found at once, each with a JSON pointer and a text
// that says what was expected and what was there. Secrets leave the configuration: the plugin sees a name in their
// place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::channels {

struct ConfigFault {
  std::string pointer;  // "/tls/key_file"; empty: the whole
  std::string text;     // "must be an integer, got \"x\""
};

struct PreparedConfig {
  std::string json;                            // for the plugin
  std::map<std::string, std::string> secrets;  // name -> text as configured, references unresolved
  // For telling what a new configuration changes, by top-level property: its value (secrets: by name), and whether the
  // schema promises that the plugin can apply a change while it runs.
  struct Property {
    std::string value;
    bool live = false;
  };
  std::map<std::string, Property> properties;
};

// nullopt exactly if `faults` is not empty. A schema that is no JSON Schema is a fault too.
std::optional<PreparedConfig> prepare_config(std::string_view schema, std::string_view config,
                                             std::vector<ConfigFault>& faults);

// The schema's "x-godwit-receipts-need" names the property without which vendors' receipts never come: true if this
// configuration lacks it.
bool receipts_are_off(std::string_view schema, const PreparedConfig& config);

}  // namespace godwit::channels
