// godwit::Json for channels that want it: nlohmann/json, which is the author's dependency and never crosses the ABI.
// Including this header lets create(Host, Json) and check(Json, Report&) take the configuration parsed.
#pragma once

#include <nlohmann/json.hpp>

#include <godwit/channel.hpp>

namespace godwit {
inline namespace sdk {

using Json = nlohmann::json;

inline Result<Json> parse_json(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Error{GW_E_INVALID, "not valid JSON", ""};
  return json;
}

// A text property of what a vendor answered; empty if it is absent, of another type, or if there is no object at all.
inline std::string text_of(const Json& json, const char* name) {
  auto it = json.is_object() ? json.find(name) : json.end();
  return json.is_object() && it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// Reads properties of a configuration and remembers the first fault with its JSON pointer, so that create() stays a
// list:
//
//   godwit::ConfigReader read(config);
//   auto origin = read.get<std::string>("origin");
//   auto window = read.get<uint32_t>("window", 100);
//   if (!read) return read.error();
class ConfigReader {
 public:
  explicit ConfigReader(const Json& config) : config_(config) {
    if (!config.is_object()) error_ = invalid("the configuration must be an object");
  }
  // Absent, null or of another type: T{} and a fault.
  template <class T>
  T get(const char* name) {
    auto it = config_.is_object() ? config_.find(name) : config_.end();
    if (it == config_.end() || it->is_null()) return fault<T>(name, "is missing");
    return read<T>(name, *it);
  }
  // Absent or null: the default.
  template <class T>
  T get(const char* name, T otherwise) {
    auto it = config_.is_object() ? config_.find(name) : config_.end();
    return it == config_.end() || it->is_null() ? otherwise : read<T>(name, *it);
  }
  explicit operator bool() const { return !error_; }
  Error error() const { return *error_; }  // REQUIRES: !*this

 private:
  template <class T>
  T read(const char* name, const Json& value) {
    try {
      return value.get<T>();
    } catch (const Json::exception&) {
      return fault<T>(name, std::string("must not be of the type ") + value.type_name());
    }
  }
  template <class T>
  T fault(const char* name, std::string text) {
    if (!error_) error_ = invalid(std::move(text), std::string("/") + name);
    return T{};
  }
  const Json& config_;
  std::optional<Error> error_;
};

template <>
struct ConfigFrom<Json> {
  static Result<Json> parse(std::string_view text) { return parse_json(text); }
};

}  // namespace sdk
}  // namespace godwit
