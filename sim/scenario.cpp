#include "sim/scenario.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "broker/routing/router.hpp"
#include "sim/scenario_file.hpp"
#include "sim/spec_reader.hpp"
#include "sim/strict_json.hpp"

namespace godwit::sim {

namespace {

// World draws a law for each combination of channel, manufacturer, OS level and region.
constexpr size_t kMostNames = 1000, kMostCells = 10'000'000;

std::vector<Named> read_shares(Fields& fields, const std::string& key) {
  std::vector<Named> out;
  double sum = 0;
  for (Fields& item : fields.objects(key)) {
    out.push_back({item.text("name"), item.number("share", 0, 1e9)});
    for (size_t i = 0; i + 1 < out.size(); ++i)
      if (out[i].name == out.back().name) item.fail("name", "\"" + out.back().name + "\" is there twice");
    sum += out.back().share;
    item.finish();
  }
  if (out.size() > kMostNames) fields.fail(key, "may have " + std::to_string(kMostNames) + " elements at most");
  if (out.empty() || sum <= 0) fields.fail(key, "needs at least one element with a positive share");
  for (Named& n : out) n.share /= sum;
  return out;
}

Fleet read_fleet(Fields f) {
  Fleet out;
  out.devices = static_cast<uint32_t>(f.whole("devices", 1, 2e7));
  out.messages_per_device_day = f.number("messages_per_device_day", 0.001, 10000);
  out.activity_sigma = f.number("activity_sigma", 0, 4, 0);
  out.manufacturers = read_shares(f, "manufacturers");
  out.os_levels = read_shares(f, "os_levels");
  out.regions = read_shares(f, "regions");
  if (f.has("interaction_sd")) {
    Fields sd = f.object("interaction_sd");
    out.sd_manufacturer_os = sd.number("manufacturer_os", 0, 10, 0);
    out.sd_region = sd.number("region", 0, 10, 0);
    out.sd_segment = sd.number("segment", 0, 10, 0);
    sd.finish();
  }
  if (f.has("device_effects")) {
    Fields e = f.object("device_effects");
    out.device_sd = e.number("sd", 0, 10, 0);
    out.dead_token = e.number("dead_token", 0, 1, 0);
    out.restricted = e.number("restricted", 0, 1, 0);
    out.restricted_logit = e.number("restricted_logit", -20, 20, 0);
    out.dormant = e.number("dormant", 0, 1, 0);
    e.finish();
  }
  f.finish();
  return out;
}

void check_names(const Scenario& s) {
  const auto known = [](const std::vector<Named>& all, const std::string& name) {
    return std::any_of(all.begin(), all.end(), [&](const Named& n) { return n.name == name; });
  };
  for (size_t i = 0; i < s.events.size(); ++i) {
    const Event& e = s.events[i];
    const std::string where = "/events/" + std::to_string(i);
    if (!e.channel.empty() && e.channel != "*" &&
        std::none_of(s.channels.begin(), s.channels.end(), [&](const ChannelSpec& c) { return c.name == e.channel; }))
      throw BadInput(where + "/channel: there is no channel \"" + e.channel + "\"");
    for (const std::string& name : e.match_manufacturer)
      if (!known(s.fleet.manufacturers, name)) throw BadInput(where + "/match: no manufacturer \"" + name + "\"");
    for (const std::string& name : e.match_os)
      if (!known(s.fleet.os_levels, name)) throw BadInput(where + "/match: no OS level \"" + name + "\"");
    for (const std::string& name : e.match_region)
      if (!known(s.fleet.regions, name)) throw BadInput(where + "/match: no region \"" + name + "\"");
    if (e.type == EventType::os_upgrade) {
      if (e.manufacturer != "*" && !known(s.fleet.manufacturers, e.manufacturer))
        throw BadInput(where + "/manufacturer: no manufacturer \"" + e.manufacturer + "\"");
      for (const std::string& os : {e.from, e.to})
        if (!known(s.fleet.os_levels, os)) throw BadInput(where + ": no OS level \"" + os + "\"");
    }
  }
}

Scenario read(Fields f) {
  Scenario s;
  if (f.text("format") != "push-routing-scenario/1") f.fail("format", "must be push-routing-scenario/1");
  s.name = f.text("name");
  s.seed = f.whole("seed", 0, 9e15, 1);
  Fields clock = f.object("clock");
  s.start_hour = clock.number("start_hour", 0, 24, 0);
  s.warmup_h = clock.number("warmup_h", 0, 24 * 365);
  s.measure_h = clock.number("measure_h", 0.01, 24 * 365);
  clock.finish();
  s.fleet = read_fleet(f.object("fleet"));
  s.channels = read_channels(f);
  if (s.channels.size() * s.fleet.manufacturers.size() * s.fleet.os_levels.size() * s.fleet.regions.size() > kMostCells)
    f.fail("fleet", "channels x manufacturers x os_levels x regions are more than " + std::to_string(kMostCells));
  if (f.has("presence")) {
    Fields p = f.object("presence");
    s.presence.base = p.number("base", 0, 1);
    s.presence.sigma = p.number("sigma", 0, 10, 0);
    s.presence.restricted_factor = p.number("restricted_factor", 0, 1, 1);
    s.presence.night_factor = p.number("night_factor", 0, 10, 1);
    s.presence.block_s = p.number("block_s", 1, 1e6, 1800);
    s.presence.stale_when_off = p.number("stale_when_off", 0, 1, 0);
    p.finish();
  }
  if (f.has("radio")) {
    Fields r = f.object("radio");
    s.radio.off_day = r.number("off_day", 0, 0.95);
    s.radio.off_night = r.number("off_night", 0, 0.95);
    s.radio.block_s = r.number("block_s", 1, 1e6, 1200);
    r.finish();
  }
  s.piggyback = f.number("piggyback", 0, 1, 0);
  s.duplicate_penalty = f.number("duplicate_penalty", 0, 1e6, 0);
  s.classes = read_classes(f);
  s.events = read_events(f);
  if (f.has("bars")) {
    Fields b = f.object("bars");
    s.bars.single_pct = b.number("single_pct", 0, 200, 0);
    s.bars.util_pct = b.number("util_pct", 0, 200, 0);
    s.bars.first_pct = b.number("first_pct", 0, 200, 0);
    s.bars.react_msgs = b.number("react_msgs", 0, 1e9, 0);
    s.bars.recover_s = b.number("recover_s", 0, 1e9, 0);
    b.finish();
  }
  f.finish();
  check_names(s);
  return s;
}

}  // namespace

Scenario read_scenario(const std::string& path) {
  const nlohmann::json document = load_scenario_json(path);
  try {
    return read(Fields(document, ""));
  } catch (const BadInput& e) {
    throw BadInput(path + ": " + e.what());
  }
}

}  // namespace godwit::sim
