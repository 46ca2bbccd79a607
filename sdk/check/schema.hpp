// A plugin's JSON Schema at work: validating, filling in defaults, finding secrets. JSON travels as text, so that only
// schema.cpp sees the libraries.
#pragma once

#include <string>
#include <vector>

namespace godwit::check {

// Faults as "/pointer: text"; empty = valid.
std::vector<std::string> faults_of_schema(const std::string& schema);
std::vector<std::string> faults_of_config(const std::string& schema, const std::string& config);

// Top-level defaults of the schema put into the config, as a host does. Anything unusable comes back as it was.
std::string with_defaults(const std::string& schema, const std::string& config);

// Top-level properties with "format": "godwit-secret".
std::vector<std::string> secret_properties(const std::string& schema);

// One property of a configuration bent, to see what the plugin says.
struct Mutant {
  std::string property;
  std::string what;  // "removed", "made a number"
  std::string config;
};
std::vector<Mutant> without_required(const std::string& schema, const std::string& config);
std::vector<Mutant> with_flipped_types(const std::string& config);
std::vector<Mutant> huge_and_deep(const std::string& config);

}  // namespace godwit::check
