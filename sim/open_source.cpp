#include "sim/open_source.hpp"

#include <fstream>

#include "sim/strict_json.hpp"
#include "sim/tape.hpp"
#include "sim/world.hpp"

namespace godwit::sim {

namespace {

// A tape's first line is a whole JSON object that says so; a scenario may be laid out in any way.
bool is_tape(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw BadInput(path + ": cannot be read");
  std::string line;
  std::getline(in, line);
  const nlohmann::json first = nlohmann::json::parse(line, nullptr, false);
  return first.is_object() && first.value("format", nlohmann::json()) == "push-routing-tape/1";
}

}  // namespace

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
