#include "broker/channels/schema_text.hpp"

#include <cstdlib>

namespace godwit::channels {
namespace {

using Json = nlohmann::json;

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

std::string type_name(const Json& type) {
  if (type.is_array()) {
    std::string out;
    for (size_t i = 0; i < type.size(); ++i)
      out += (i == 0 ? "" : i + 1 == type.size() ? " or " : ", ") + type_name(type[i]);
    return out;
  }
  const std::string name = type.is_string() ? type.get<std::string>() : type.dump();
  if (name == "integer" || name == "object") return "an " + name;
  if (name == "array") return "a list";
  if (name == "boolean") return "true or false";
  if (name == "null") return "null";
  return "a " + name;
}

bool is_type(const Json& value, const Json& type) {
  if (type.is_array()) {
    for (const Json& one : type)
      if (is_type(value, one)) return true;
    return false;
  }
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  return value.is_null();
}

size_t characters(const std::string& text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

// Of the forms that a value may have (oneOf, anyOf): "a number or an object".
std::string forms(const Json& schema, const Json& value) {
  for (const char* combined : {"oneOf", "anyOf"}) {
    const auto parts = schema.find(combined);
    if (parts == schema.end() || !parts->is_array()) continue;
    Json types = Json::array();
    for (const Json& part : *parts)
      if (part.is_object() && part.contains("type")) types.push_back(part["type"]);
    if (types.size() == parts->size() && !is_type(value, types))
      return "must be " + type_name(types) + ", got " + shown(value);
    return "fits none of its allowed forms";
  }
  return {};
}

// Empty: no keyword here explains it.
std::string explain(const Json& schema, const Json& value) {
  if (std::string text = forms(schema, value); !text.empty()) return text;
  const auto bound = [&](const char* key) { return schema.contains(key) && schema[key].is_number(); };
  if (schema.contains("type") && !is_type(value, schema["type"]))
    return "must be " + type_name(schema["type"]) + ", got " + shown(value);
  if (schema.contains("const") && value != schema["const"])
    return "must be " + shown(schema["const"]) + ", got " + shown(value);
  if (schema.contains("enum") && schema["enum"].is_array()) {
    std::string allowed;
    bool found = false;
    for (const Json& one : schema["enum"]) {
      allowed += (allowed.empty() ? "" : ", ") + shown(one);
      found |= one == value;
    }
    if (!found) return "must be one of " + allowed + ", got " + shown(value);
  }
  if (value.is_number()) {
    const double n = value.get<double>();
    if (bound("minimum") && n < schema["minimum"].get<double>())
      return "must be at least " + schema["minimum"].dump() + ", got " + shown(value);
    if (bound("maximum") && n > schema["maximum"].get<double>())
      return "must be at most " + schema["maximum"].dump() + ", got " + shown(value);
    if (bound("exclusiveMinimum") && n <= schema["exclusiveMinimum"].get<double>())
      return "must be greater than " + schema["exclusiveMinimum"].dump() + ", got " + shown(value);
    if (bound("exclusiveMaximum") && n >= schema["exclusiveMaximum"].get<double>())
      return "must be less than " + schema["exclusiveMaximum"].dump() + ", got " + shown(value);
  }
  if (value.is_string()) {
    const size_t length = characters(value.get_ref<const std::string&>());
    const std::string got = " characters, got " + std::to_string(length);
    if (bound("minLength") && length < schema["minLength"].get<size_t>())
      return schema["minLength"] == 1 ? "must not be empty" : "must have at least " + schema["minLength"].dump() + got;
    if (bound("maxLength") && length > schema["maxLength"].get<size_t>())
      return "must have at most " + schema["maxLength"].dump() + got;
    if (schema.contains("pattern")) return "must match " + shown(schema["pattern"]) + ", got " + shown(value);
  }
  if (value.is_array()) {
    if (bound("minItems") && value.size() < schema["minItems"].get<size_t>())
      return "must have at least " + schema["minItems"].dump() + " elements";
    if (bound("maxItems") && value.size() > schema["maxItems"].get<size_t>())
      return "must have at most " + schema["maxItems"].dump() + " elements";
  }
  return {};
}

}  // namespace

const Json* value_at(const Json& config, const std::vector<std::string>& path) {
  const Json* at = &config;
  for (const std::string& step : path) {
    if (at->is_array()) {
      const size_t index = std::strtoul(step.c_str(), nullptr, 10);
      if (index >= at->size()) return nullptr;
      at = &at->at(index);
    } else if (at->is_object() && at->contains(step)) {
      at = &at->at(step);
    } else {
      return nullptr;
    }
  }
  return at;
}

std::string explain_fault(const Json* schema, const Json* value, std::string_view description,
                          std::vector<std::string>& path) {
  constexpr std::string_view kMissing = "Missing required property '";
  if (const size_t at = description.find(kMissing); at != std::string_view::npos) {
    const std::string_view rest = description.substr(at + kMissing.size());
    path.emplace_back(rest.substr(0, rest.find('\'')));
    return "is missing";
  }
  if (schema && schema->is_object() && value)
    if (std::string text = explain(*schema, *value); !text.empty()) return text;
  return std::string(description);
}

}  // namespace godwit::channels
