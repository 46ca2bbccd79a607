#include "broker/channels/schema_walk.hpp"

namespace godwit::channels {
namespace {

constexpr int kMaxDepth = 32;  // a schema may refer to itself

}  // namespace

const SchemaWalk::Json& SchemaWalk::resolve(const Json& schema) const {
  bool endless;
  return resolve(schema, endless);
}

const SchemaWalk::Json& SchemaWalk::resolve(const Json& schema, bool& endless) const {
  endless = false;
  const Json* at = &schema;
  for (int hops = 0; hops < kMaxDepth && at->is_object(); ++hops) {
    const auto ref = at->find("$ref");
    if (ref == at->end() || !ref->is_string()) return *at;
    const std::string& text = ref->get_ref<const std::string&>();
    if (!text.starts_with("#")) return *at;
    try {
      at = &root_.at(Json::json_pointer(text.substr(1)));
    } catch (const Json::exception&) {
      return *at;
    }
  }
  endless = at->is_object() && at->contains("$ref");
  return *at;
}

const SchemaWalk::Json* SchemaWalk::member(const Json& schema, const std::string& key) const {
  return member(schema, key, 0);
}

const SchemaWalk::Json* SchemaWalk::member(const Json& schema, const std::string& key, int depth) const {
  const Json& s = resolve(schema);
  if (!s.is_object() || depth > kMaxDepth) return nullptr;
  if (const auto properties = s.find("properties"); properties != s.end() && properties->contains(key))
    return &resolve(properties->at(key));
  for (const char* combined : {"allOf", "anyOf", "oneOf"})
    if (const auto parts = s.find(combined); parts != s.end() && parts->is_array())
      for (const Json& part : *parts)
        if (const Json* found = member(part, key, depth + 1)) return found;
  if (const auto rest = s.find("additionalProperties"); rest != s.end() && rest->is_object()) return &resolve(*rest);
  return nullptr;
}

const SchemaWalk::Json* SchemaWalk::item(const Json& schema) const {
  const Json& s = resolve(schema);
  if (!s.is_object()) return nullptr;
  const auto items = s.find("items");
  return items != s.end() && items->is_object() ? &resolve(*items) : nullptr;
}

const SchemaWalk::Json* SchemaWalk::at(const std::vector<std::string>& path, const Json& config) const {
  const Json* schema = &root_;
  const Json* value = &config;
  for (const std::string& step : path) {
    if (value->is_array()) {
      schema = item(*schema);
      const size_t index = std::strtoul(step.c_str(), nullptr, 10);
      if (!schema || index >= value->size()) return nullptr;
      value = &value->at(index);
    } else {
      schema = member(*schema, step);
      if (!schema || !value->is_object() || !value->contains(step)) return schema;
      value = &value->at(step);
    }
  }
  return &resolve(*schema);
}

bool SchemaWalk::is_closed(const Json& schema, std::vector<std::string>& known) const {
  const Json& s = resolve(schema);
  if (!s.is_object()) return false;
  const auto properties = s.find("properties");
  const auto rest = s.find("additionalProperties");
  const bool says_so = rest != s.end() && *rest == false;
  const bool says_nothing = rest == s.end() && properties != s.end() && !s.contains("allOf") && !s.contains("anyOf") &&
                            !s.contains("oneOf") && !s.contains("if");
  if ((!says_so && !says_nothing) || s.contains("patternProperties")) return false;
  known.clear();
  if (properties != s.end())
    for (const auto& [name, ignored] : properties->items()) known.push_back(name);
  return true;
}

bool SchemaWalk::has_endless_reference(const Json& part) const {
  bool endless;
  resolve(part, endless);
  if (endless) return true;
  if (part.is_structured())
    for (const Json& child : part)
      if (has_endless_reference(child)) return true;
  return false;
}

void SchemaWalk::fill_defaults(const Json& schema, Json& config, int depth) const {
  const Json& s = resolve(schema);
  if (!s.is_object() || depth > kMaxDepth) return;
  if (config.is_object() && s.contains("properties"))
    for (const auto& [name, described] : s["properties"].items()) {
      // Beside $ref draft-07 ignores other keywords; people write the default there all the same.
      const Json& target = resolve(described);
      const Json* fallback = described.contains("default") ? &described["default"]
                             : target.contains("default")  ? &target["default"]
                                                           : nullptr;
      if (!config.contains(name) && fallback) config[name] = *fallback;
      if (config.contains(name)) fill_defaults(target, config[name], depth + 1);
    }
  if (config.is_array())
    if (const Json* described = item(s))
      for (Json& element : config) fill_defaults(*described, element, depth + 1);
}

}  // namespace godwit::channels
