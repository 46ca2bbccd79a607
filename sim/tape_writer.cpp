#include <fstream>
#include <nlohmann/json.hpp>

#include "sim/open_source.hpp"
#include "sim/scenario_file.hpp"
#include "sim/strict_json.hpp"
#include "sim/world.hpp"

namespace godwit::sim {

namespace {

using Json = nlohmann::ordered_json;

// The header keeps what a reader still needs; limits that depend on what is sent cannot be part of a fate.
Json header_of(const nlohmann::json& scenario, uint64_t seed) {
  Json out{{"format", "push-routing-tape/1"}, {"name", scenario.at("name")}, {"seed", seed}};
  for (const char* key : {"clock", "channels", "classes", "piggyback", "duplicate_penalty", "bars"})
    if (scenario.contains(key)) out[key] = Json(scenario.at(key));
  out["watch"] = Json::array();
  out["limits"] = Json::array();
  if (!scenario.contains("events")) return out;
  for (const auto& e : scenario.at("events")) {
    const std::string type = e.value("type", "");
    if (e.value("watch", false)) out["watch"].push_back(Json(e));
    if (type == "quota" || type == "rate_limit" || type == "clock_skew") out["limits"].push_back(Json(e));
  }
  return out;
}

Json names(const std::vector<ChannelSpec>& channels, uint32_t mask) {
  Json out = Json::array();
  for (size_t c = 0; c < channels.size(); ++c)
    if ((mask >> c & 1) != 0) out.push_back(channels[c].name);
  return out;
}

}  // namespace

void write_tape(const std::string& path, std::optional<uint64_t> wanted, const std::string& out_path) {
  if (is_tape(path)) throw BadInput(path + ": is a tape already; a scenario is needed");
  const Scenario scenario = read_scenario(path);
  const uint64_t seed = wanted.value_or(scenario.seed);
  World world(scenario, seed);
  std::ofstream out(out_path, std::ios::binary);
  out << header_of(load_scenario_json(path), seed).dump() << '\n';
  const auto& channels = world.setting().channels;
  DeviceChange d;
  Message m;
  Source::Kind kind;
  while ((kind = world.next(d, m)) != Source::Kind::end) {
    Json line;
    if (kind == Source::Kind::device) {
      line = {{"type", "dev"},
              {"t", d.t},
              {"d", d.device},
              {"maker", d.maker},
              {"os", d.os},
              {"region", d.region},
              {"tokens", names(channels, d.tokens)},
              {"reports", names(channels, d.reports)},
              {"why", d.why}};
    } else {
      line = {
          {"type", "msg"},     {"t", m.t}, {"id", m.id}, {"d", m.device}, {"cls", world.setting().classes[m.cls].name},
          {"away_s", m.away_s}};
      Json fates = Json::object();
      for (size_t c = 0; c < channels.size(); ++c) {
        const Fate& f = m.fates[c];
        if (!f.available) continue;
        fates[channels[c].name] = {{"p", f.p},
                                   {"reject", f.reject},
                                   {"works", f.works},
                                   {"delay_s", f.delay_s},
                                   {"receipt_s", f.receipt_s < 0 ? Json(nullptr) : Json(f.receipt_s)}};
      }
      line["channels"] = std::move(fates);
    }
    out << line.dump() << '\n';
  }
  out.flush();
  if (!out) throw BadInput(out_path + ": cannot be written");
}

}  // namespace godwit::sim
