#include "sim/open_source.hpp"

#include "sim/scenario_file.hpp"
#include "sim/strict_json.hpp"
#include "sim/tape.hpp"
#include "sim/world.hpp"

namespace godwit::sim {

bool is_tape(const std::string& path) {
  std::ifstream in = open_input(path);
  std::string line;
  while (std::getline(in, line) && line.find_first_not_of(" \t\r") == std::string::npos) continue;
  const nlohmann::json first = nlohmann::json::parse(line, nullptr, false);
  if (!first.is_object()) return false;
  const nlohmann::json format = first.value("format", nlohmann::json());
  if (format.is_string()) return format.get_ref<const std::string&>().starts_with("push-routing-tape/");
  return first.contains("type") || first.contains("dev") || first.contains("msg");
}

Opened open_source(const std::string& path) {
  Opened out;
  if (is_tape(path)) {
    const std::shared_ptr<const TapeContent> content = read_tape(path);
    out.seed = content->seed;
    out.takes_seeds = false;
    out.source_of = [content](uint64_t) { return std::make_unique<Tape>(content); };
  } else {
    const Scenario scenario = read_scenario(path);
    out.seed = scenario.seed;
    out.source_of = [scenario](uint64_t seed) { return std::make_unique<World>(scenario, seed); };
  }
  return out;
}

}  // namespace godwit::sim
