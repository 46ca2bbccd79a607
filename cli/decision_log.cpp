#include "cli/decision_log.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

namespace godwit::cli {

using nlohmann::json;
using routing::LoggedDecision;

namespace {

// Empty when it is absent or no text.
std::string member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A number from `low` to 1; NaN and the infinities are no JSON.
std::optional<double> share(const json& object, const char* name, double low) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return value >= low && value <= 1 ? std::optional(value) : std::nullopt;
}

std::optional<LoggedDecision> read_decision(const json& j) {
  constexpr double kLeastPropensity = 1e-9;  // a choice that was made had a chance
  const auto candidates = j.find("candidates");
  const std::optional<double> propensity = share(j, "propensity", kLeastPropensity);
  const std::string outcome = member(j, "outcome"), chosen = member(j, "chosen");
  if (candidates == j.end() || !candidates->is_array() || !propensity) return std::nullopt;
  if (outcome != "arrived" && outcome != "silent" && outcome != "refused") return std::nullopt;
  LoggedDecision d;
  d.chosen = candidates->size();
  for (const json& c : *candidates) {
    if (!c.is_object()) return std::nullopt;
    const std::optional<double> p = share(c, "p", 0);
    const std::string channel = member(c, "channel");
    const auto same = [&](const LoggedDecision::Candidate& other) { return other.channel == channel; };
    if (!p || channel.empty() || std::any_of(d.candidates.begin(), d.candidates.end(), same)) return std::nullopt;
    if (channel == chosen) d.chosen = d.candidates.size();
    d.candidates.push_back({channel, *p});
  }
  if (d.chosen >= d.candidates.size()) return std::nullopt;
  d.propensity = *propensity;
  d.delivered = outcome == "arrived";
  d.manufacturer = member(j, "manufacturer");
  return d;
}

std::string why_empty(const DecisionLog& log, const DecisionFilter& filter) {
  if (log.lines == 0) return "is empty; the broker writes a line when a logged delivery ends";
  if (log.damaged == log.lines) return "is no decision log: none of its lines is as the broker writes them";
  if (log.others + log.damaged == log.lines)
    return "has no decision" + (filter.app.empty() ? "" : " of app '" + filter.app + "'") +
           (filter.priority.empty() ? "" : " of priority '" + filter.priority + "'");
  return "has no decision that can be replayed; raise routing.decision_log.share, or give it time";
}

}  // namespace

void DecisionLog::add(std::string_view line, const DecisionFilter& filter) {
  ++lines;
  const json j = json::parse(line, nullptr, false);
  if (!j.is_object() || member(j, "format") != "godwit-decision/1") {
    ++damaged;
  } else if ((!filter.app.empty() && member(j, "app") != filter.app) ||
             (!filter.priority.empty() && member(j, "priority") != filter.priority)) {
    ++others;
  } else if (member(j, "mode") == "probe") {
    ++probes;
  } else if (member(j, "outcome") == "unknown") {
    ++untold;
  } else if (std::optional<LoggedDecision> d = read_decision(j)) {
    alone += d->candidates.size() == 1;
    decisions.push_back(std::move(*d));
  } else {
    ++damaged;
  }
}

bool DecisionLog::has_channel(std::string_view name) const {
  return std::any_of(decisions.begin(), decisions.end(), [&](const LoggedDecision& d) {
    return std::any_of(d.candidates.begin(), d.candidates.end(), [&](const auto& c) { return c.channel == name; });
  });
}

Result<DecisionLog> read_decision_log(const std::vector<std::string>& files, const DecisionFilter& filter) {
  DecisionLog log;
  for (const std::string& file : files) {
    std::error_code error;
    std::ifstream in(file, std::ios::binary);
    if (!in || std::filesystem::is_directory(file, error))
      return Error{Code::not_found, file + " cannot be read; the broker writes decisions.ndjson into its data_dir", {}};
    for (std::string line; std::getline(in, line);)
      if (line.find_first_not_of(" \t\r") != std::string::npos) log.add(line, filter);
  }
  if (log.decisions.empty()) {
    const std::string name = files.size() == 1 ? files.front() : files.front() + " and the others";
    return Error{Code::not_found, name + " " + why_empty(log, filter), {}};
  }
  return log;
}

}  // namespace godwit::cli
