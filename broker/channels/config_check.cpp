#include "broker/channels/config_check.hpp"

#include <algorithm>
// Without this valijson ends the process where a schema is odd.
#define VALIJSON_USE_EXCEPTIONS 1
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "broker/base/expand.hpp"
#include "broker/base/nearest.hpp"
#include "broker/channels/schema_text.hpp"
#include "broker/channels/schema_walk.hpp"

namespace godwit::channels {
namespace {

using Json = nlohmann::json;

std::string escape(std::string_view key) {  // RFC 6901
  std::string out;
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

// Goes through the configuration once, with the schema beside it.
class Preparation {
 public:
  Preparation(const SchemaWalk& walk, PreparedConfig& prepared, std::vector<ConfigFault>& faults)
      : walk_(walk), prepared_(prepared), faults_(faults) {}

  void visit(const Json& schema, Json& value, const std::string& pointer) {
    if (value.is_object()) {
      drop_unknown_keys(schema, value, pointer);
      for (auto& [key, member] : value.items())
        visit_described(walk_.member(schema, key), member, pointer + "/" + escape(key));
    } else if (value.is_array()) {
      const Json* described = walk_.item(schema);
      for (size_t i = 0; i < value.size(); ++i) visit_described(described, value[i], pointer + "/" + std::to_string(i));
    } else if (value.is_string()) {
      visit_text(schema, value, pointer);
    }
  }

 private:
  void visit_described(const Json* schema, Json& value, const std::string& pointer) {
    static const Json kAnything = Json::object();
    visit(schema ? *schema : kAnything, value, pointer);
  }

  void drop_unknown_keys(const Json& schema, Json& object, const std::string& pointer) {
    std::vector<std::string> known, unknown;
    if (!walk_.is_closed(schema, known)) return;
    for (const auto& [key, ignored] : object.items())
      if (std::find(known.begin(), known.end(), key) == known.end()) unknown.push_back(key);
    for (const std::string& key : unknown) {
      faults_.push_back({pointer + "/" + escape(key), "is no known property" + did_you_mean(key, known)});
      object.erase(key);
    }
  }

  void visit_text(const Json& schema, Json& value, const std::string& pointer) {
    const std::string text = value.get<std::string>();
    if (text.empty()) return;
    if (schema.is_object() && schema.value("format", "") == "godwit-secret") {
      const std::string name = pointer.substr(1);
      prepared_.secrets[name] = text;
      value = name;
    } else if (has_reference(text)) {
      Result<std::string> expanded = expand_references(text);
      if (expanded)
        value = *expanded;
      else
        faults_.push_back({pointer, expanded.error().message});
    }
  }

  const SchemaWalk& walk_;
  PreparedConfig& prepared_;
  std::vector<ConfigFault>& faults_;
};

// "<root>", "[tls]", "[0]" -> "tls", "0"
std::vector<std::string> path_of(const std::vector<std::string>& context) {
  std::vector<std::string> path;
  for (size_t i = 1; i < context.size(); ++i) path.push_back(context[i].substr(1, context[i].size() - 2));
  return path;
}

std::string pointer_of(const std::vector<std::string>& path) {
  std::string pointer;
  for (const std::string& step : path) pointer += "/" + escape(step);
  return pointer;
}

struct RawFault {
  std::vector<std::string> path;
  std::string description;
};

// valijson reports a fault at its place and again at every level above; only the deepest says anything.
bool is_above_another(const RawFault& fault, const std::vector<RawFault>& all) {
  if (fault.description.find("Missing required") != std::string::npos) return false;
  for (const RawFault& other : all)
    if (other.path.size() > fault.path.size() && std::equal(fault.path.begin(), fault.path.end(), other.path.begin()))
      return true;
  return false;
}

void validate(const Json& schema, const SchemaWalk& walk, const Json& config, std::vector<ConfigFault>& faults) {
  valijson::Schema compiled;
  try {
    valijson::SchemaParser parser;
    const valijson::adapters::NlohmannJsonAdapter adapter(schema);
    parser.populateSchema(adapter, compiled);
  } catch (const std::exception& e) {
    faults.push_back({"", std::string("the plugin's own schema is not usable: ") + e.what()});
    return;
  }
  valijson::Validator validator;
  valijson::ValidationResults results;
  const valijson::adapters::NlohmannJsonAdapter target(config);
  if (validator.validate(compiled, target, &results)) return;

  std::vector<RawFault> raw;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) raw.push_back({path_of(error.context), error.description});
  for (const RawFault& fault : raw) {
    if (is_above_another(fault, raw)) continue;
    std::vector<std::string> path = fault.path;
    std::string text = explain_fault(walk.at(path, config), value_at(config, path), fault.description, path);
    // Of several forms that a value may have, each reports why it is not that one: once a place is enough.
    const std::string pointer = pointer_of(path);
    if (std::none_of(faults.begin(), faults.end(), [&](const ConfigFault& f) { return f.pointer == pointer; }))
      faults.push_back({pointer, std::move(text)});
  }
}

void note_properties(const Json& schema, const SchemaWalk& walk, const Json& config, PreparedConfig& prepared) {
  for (const auto& [name, value] : config.items()) {
    const Json* described = walk.member(schema, name);
    // Again beside $ref: the flag may stand where the property is named or where it is defined.
    const bool live = (schema.contains("properties") && schema["properties"].contains(name) &&
                       schema["properties"][name].value("x-godwit-live", false)) ||
                      (described && described->is_object() && described->value("x-godwit-live", false));
    prepared.properties[name] = {value.dump(), live};
  }
}

}  // namespace

std::optional<PreparedConfig> prepare_config(std::string_view schema_text, std::string_view config_text,
                                             std::vector<ConfigFault>& faults) {
  const size_t before = faults.size();
  const Json schema = Json::parse(schema_text, nullptr, false);
  Json config = Json::parse(config_text, nullptr, false);
  if (!schema.is_object()) faults.push_back({"", "the plugin's own schema is no JSON object"});
  if (!config.is_object()) faults.push_back({"", "the configuration must be an object"});
  if (faults.size() > before) return std::nullopt;

  PreparedConfig prepared;
  const SchemaWalk walk(schema);
  if (walk.has_endless_reference()) {
    faults.push_back({"", "the plugin's own schema is not usable: a $ref in it leads back to itself"});
    return std::nullopt;
  }
  try {
    walk.fill_defaults(schema, config);
    Preparation(walk, prepared, faults).visit(schema, config, "");
    validate(schema, walk, config, faults);
    note_properties(schema, walk, config, prepared);
  } catch (const std::exception& e) {  // a schema of odd types ("properties": 3)
    faults.push_back({"", std::string("the plugin's own schema is not usable: ") + e.what()});
  }
  if (faults.size() > before) return std::nullopt;
  prepared.json = config.dump();
  return prepared;
}

bool receipts_are_off(std::string_view schema_text, const PreparedConfig& config) {
  const Json schema = Json::parse(schema_text, nullptr, false);
  const auto named = schema.is_object() ? schema.find("x-godwit-receipts-need") : schema.end();
  if (named == schema.end() || !named->is_string()) return false;
  const auto it = config.properties.find(named->get<std::string>());
  return it == config.properties.end() || it->second.value == "\"\"" || it->second.value == "null";
}

}  // namespace godwit::channels
