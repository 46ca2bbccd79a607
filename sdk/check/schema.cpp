#include "sdk/check/schema.hpp"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace godwit::check {
namespace {

using Json = nlohmann::json;

Json parse(const std::string& text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

// valijson says "<root>[a][0]"; people and the ABI say "/a/0".
std::string pointer_of(const std::string& context) {
  std::string pointer;
  for (char c : context.substr(context.find('>') == std::string::npos ? 0 : context.find('>') + 1)) {
    if (c == '[')
      pointer += '/';
    else if (c != ']')
      pointer += c;
  }
  return pointer;
}

Json flipped(const Json& value, std::string& what) {
  if (value.is_string()) return what = "made a number", Json(12345);
  if (value.is_number()) return what = "made a text", Json("twelve");
  if (value.is_boolean()) return what = "made a list", Json::array({1});
  if (value.is_array()) return what = "made an object", Json::object({{"a", 1}});
  return what = "made a text", Json("text");
}

}  // namespace

std::vector<std::string> faults_of_schema(const std::string& schema_text) {
  Json json = parse(schema_text);
  if (json.is_discarded()) return {": not valid JSON"};
  if (!json.is_object()) return {": not a JSON object"};
  if (json.value("type", Json()) != "object")
    return {"/type: a channel's configuration is an object: say \"type\": \"object\""};
  try {
    valijson::Schema schema;
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(json), schema);
  } catch (const std::exception& e) {
    return {std::string(": not a JSON Schema of draft-07: ") + e.what()};
  }
  return {};
}

std::vector<std::string> faults_of_config(const std::string& schema_text, const std::string& config_text) {
  if (auto faults = faults_of_schema(schema_text); !faults.empty()) return {"the schema itself is wrong"};
  Json schema_json = parse(schema_text), config = parse(config_text);
  if (config.is_discarded()) return {": not valid JSON"};
  valijson::Schema schema;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json), schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  valijson::adapters::NlohmannJsonAdapter target(config);
  std::vector<std::string> faults;
  if (validator.validate(schema, target, &results)) return faults;
  for (valijson::ValidationResults::Error error; results.popError(error);)
    faults.push_back(pointer_of(error.context.empty() ? "" : error.context.back()) + ": " + error.description);
  return faults;
}

std::string with_defaults(const std::string& schema_text, const std::string& config_text) {
  Json schema = parse(schema_text), config = parse(config_text);
  if (!schema.is_object() || !config.is_object() || !schema.value("properties", Json()).is_object()) return config_text;
  for (const auto& [name, property] : schema["properties"].items())
    if (property.is_object() && property.contains("default") && !config.contains(name))
      config[name] = property["default"];
  return config.dump();
}

std::vector<std::string> secret_properties(const std::string& schema_text) {
  std::vector<std::string> names;
  Json schema = parse(schema_text);
  if (!schema.is_object() || !schema.value("properties", Json()).is_object()) return names;
  for (const auto& [name, property] : schema["properties"].items())
    if (property.is_object() && property.value("format", Json()) == "godwit-secret") names.push_back(name);
  return names;
}

std::vector<Mutant> without_required(const std::string& schema_text, const std::string& config_text) {
  std::vector<Mutant> mutants;
  Json schema = parse(schema_text), config = parse(config_text);
  if (!schema.is_object() || !config.is_object()) return mutants;
  for (const Json& name : schema.value("required", Json::array())) {
    if (!name.is_string() || !config.contains(name.get<std::string>())) continue;
    Json bent = config;
    bent.erase(name.get<std::string>());
    mutants.push_back({name.get<std::string>(), "removed", bent.dump()});
  }
  return mutants;
}

std::vector<Mutant> with_flipped_types(const std::string& config_text) {
  std::vector<Mutant> mutants;
  Json config = parse(config_text);
  if (!config.is_object()) return mutants;
  for (const auto& [name, value] : config.items()) {
    Mutant mutant{name, "", ""};
    Json bent = config;
    bent[name] = flipped(value, mutant.what);
    mutant.config = bent.dump();
    mutants.push_back(std::move(mutant));
  }
  return mutants;
}

std::vector<Mutant> huge_and_deep(const std::string& config_text) {
  constexpr size_t kDepth = 100'000, kLength = 1 << 20, kKeys = 20'000;
  std::string deep = std::string(kDepth, '[') + std::string(kDepth, ']');
  std::vector<Mutant> mutants{{"", "100,000 brackets deep", deep},
                              {"", "brackets that never close", std::string(kDepth, '[')}};
  Json config = parse(config_text);
  if (!config.is_object()) return mutants;
  std::string text = config.dump();
  std::string head = text.substr(0, text.size() - 1) + (config.empty() ? "" : ",");
  mutants.push_back({"x-deep", "added, 100,000 brackets deep", head + "\"x-deep\":" + deep + "}"});
  Json many = config;
  for (size_t i = 0; i < kKeys; ++i) many["x-" + std::to_string(i)] = i;
  mutants.push_back({"", "20,000 unknown properties", many.dump()});
  for (const auto& [name, value] : config.items()) {
    if (!value.is_string()) continue;
    Json bent = config;
    bent[name] = std::string(kLength, 'x');
    mutants.push_back({name, "made 1 MiB long", bent.dump()});
  }
  return mutants;
}

}  // namespace godwit::check
