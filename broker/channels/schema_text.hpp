// Words for a schema fault: what was expected, in the schema's own terms, and what was there.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::channels {

// The value at `path`, or null.
const nlohmann::json* value_at(const nlohmann::json& config, const std::vector<std::string>& path);

// `schema` and `value` may be null; `description` is the validator's own text and the last resort. For a missing
// property `path` is led on to it.
std::string explain_fault(const nlohmann::json* schema, const nlohmann::json* value, std::string_view description,
                          std::vector<std::string>& path);

}  // namespace godwit::channels
