// The JSON of a scenario file with `extends` followed and `patch` applied.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace godwit::sim {

// Opens a file that is to be read, and says why it cannot be.
std::ifstream open_input(const std::string& path);

nlohmann::json load_json(const std::string& path);
nlohmann::json load_scenario_json(const std::string& path);

// Sets one dotted path, such as "channels.fcm.receipt.device_share"; list elements are found by their `name` or index.
void apply_patch(nlohmann::json& document, const std::string& dotted, const nlohmann::json& value);

}  // namespace godwit::sim
