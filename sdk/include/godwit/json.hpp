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

template <>
struct ConfigFrom<Json> {
  static Result<Json> parse(std::string_view text) { return parse_json(text); }
};

}  // namespace sdk
}  // namespace godwit
