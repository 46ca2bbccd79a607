#include "broker/app/yaml_section.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "broker/base/expand.hpp"
#include "broker/base/nearest.hpp"

namespace godwit {
namespace {

int line_of(const YAML::Node& node) {
  return node.Mark().is_null() ? 0 : node.Mark().line + 1;
}

// "30s" -> (30, "s"). Answers false when there is no number in front.
bool split_unit(std::string_view text, double& number, std::string_view& unit) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || !std::isfinite(number)) return false;
  unit = std::string_view(stop, static_cast<size_t>(end - stop));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return true;
}

// A plain (unquoted) scalar by YAML's core schema; a quoted one is text.
nlohmann::json scalar_to_json(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "True") return true;
  if (text == "false" || text == "False") return false;
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (auto [p, e] = std::from_chars(text.data(), end, integer); e == std::errc() && p == end) return integer;
  double real = 0;
  if (auto [p, e] = std::from_chars(text.data(), end, real); e == std::errc() && p == end && std::isfinite(real))
    return real;
  return text;
}

std::string pointer_escape(std::string key) {
  for (size_t at = 0; (at = key.find_first_of("~/", at)) != std::string::npos; at += 2)
    key.replace(at, 1, key[at] == '~' ? "~0" : "~1");
  return key;
}

// 60000 -> "1m": as people would write it.
std::string time_text(int64_t ms) {
  static constexpr std::pair<int64_t, const char*> kUnits[] = {
      {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}};
  for (const auto& [unit, name] : kUnits)
    if (ms > 0 && ms % unit == 0) return std::to_string(ms / unit) + name;
  return std::to_string(ms) + "ms";
}

constexpr int kMaxDepth = 32;

nlohmann::json to_json(const YAML::Node& node, const std::string& pointer, std::map<std::string, int>& lines,
                       int depth) {
  lines[pointer] = line_of(node);
  if (depth > kMaxDepth) return nullptr;
  if (node.IsMap()) {
    nlohmann::json out = nlohmann::json::object();
    for (const auto& item : node) {
      const std::string key = item.first.Scalar();
      out[key] = to_json(item.second, pointer + "/" + pointer_escape(key), lines, depth + 1);
      lines[pointer + "/" + pointer_escape(key)] = line_of(item.first);
    }
    return out;
  }
  if (node.IsSequence()) {
    nlohmann::json out = nlohmann::json::array();
    size_t i = 0;
    for (const auto& item : node) out.push_back(to_json(item, pointer + "/" + std::to_string(i++), lines, depth + 1));
    return out;
  }
  return node.IsScalar() ? scalar_to_json(node) : nlohmann::json(nullptr);
}

}  // namespace

YamlSection::YamlSection(YAML::Node node, std::string path, std::vector<ConfigFault>& faults)
    : node_(std::move(node)), path_(std::move(path)), faults_(faults) {
  if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) {
    faults_.push_back({line_of(node_), path_, "must be a mapping of keys to values"});
    node_ = YAML::Node(YAML::NodeType::Null);
  }
  if (!node_.IsMap()) return;
  std::vector<std::string> seen;  // yaml-cpp keeps the first of two equal keys and says nothing
  for (const auto& item : node_) {
    const std::string key = item.first.IsScalar() ? item.first.Scalar() : std::string("?");
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      faults_.push_back({line_of(item.first), where(key), "stands here a second time; keep one"});
    seen.push_back(key);
  }
}

int YamlSection::line() const {
  return line_of(node_);
}

std::string YamlSection::where(std::string_view key) const {
  if (path_.empty()) return std::string(key);
  return key.empty() ? path_ : path_ + "." + std::string(key);
}

void YamlSection::fault(std::string_view key, std::string text) {
  int line = line_of(node_);
  if (node_.IsMap())
    for (const auto& item : node_)
      if (item.first.IsScalar() && item.first.Scalar() == key) line = line_of(item.first);
  faults_.push_back({line, where(key), std::move(text)});
}

YAML::Node YamlSection::child(std::string_view key) {
  known_.emplace_back(key);
  if (!node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
  for (const auto& item : node_)
    if (item.first.IsScalar() && item.first.Scalar() == key) return item.second;
  return YAML::Node(YAML::NodeType::Undefined);
}

bool YamlSection::has(std::string_view key) {
  const YAML::Node node = child(key);
  return node.IsDefined() && !node.IsNull();
}

std::optional<std::string> YamlSection::scalar(std::string_view key) {
  const YAML::Node node = child(key);
  if (!node.IsDefined() || node.IsNull()) return std::nullopt;
  if (!node.IsScalar()) {
    fault(key, "must be one value, not a list or a mapping");
    return std::nullopt;
  }
  Result<std::string> expanded = expand_references(node.Scalar());
  if (!expanded) {
    fault(key, expanded.error().message);
    return std::nullopt;
  }
  return *std::move(expanded);
}

std::string YamlSection::text(std::string_view key, std::string fallback) {
  return scalar(key).value_or(std::move(fallback));
}

std::string YamlSection::required_text(std::string_view key) {
  const size_t before = faults_.size();
  std::string value = text(key);
  if (value.empty() && faults_.size() == before) fault(key, "is missing");
  return value;
}

std::string YamlSection::choice(std::string_view key, std::initializer_list<std::string_view> allowed,
                                std::string fallback) {
  const std::optional<std::string> value = scalar(key);
  if (!value) return fallback;
  if (std::find(allowed.begin(), allowed.end(), *value) != allowed.end()) return *value;
  std::string list;
  for (const std::string_view a : allowed) list += (list.empty() ? "" : ", ") + std::string(a);
  fault(key, "must be one of " + list + ", got '" + *value + "'");
  return fallback;
}

int64_t YamlSection::integer(std::string_view key, int64_t fallback, int64_t min, int64_t max) {
  const std::optional<std::string> value = scalar(key);
  if (!value) return fallback;
  int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc() || stop != end || number < min || number > max) {
    fault(key, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max) + ", got '" +
                   *value + "'");
    return fallback;
  }
  return number;
}

double YamlSection::number(std::string_view key, double fallback, double min, double max) {
  const std::optional<std::string> value = scalar(key);
  if (!value) return fallback;
  double number = 0;
  std::string_view unit;
  if (!split_unit(*value, number, unit) || !unit.empty() || number < min || number > max) {
    fault(key, "must be a number from " + nlohmann::json(min).dump() + " to " + nlohmann::json(max).dump() + ", got '" +
                   *value + "'");
    return fallback;
  }
  return number;
}

bool YamlSection::flag(std::string_view key, bool fallback) {
  const std::optional<std::string> value = scalar(key);
  if (!value) return fallback;
  if (*value == "true") return true;
  if (*value == "false") return false;
  fault(key, "must be true or false, got '" + *value + "'");
  return fallback;
}

int64_t YamlSection::duration_ms(std::string_view key, int64_t fallback, int64_t min, int64_t max) {
  const std::optional<std::string> value = scalar(key);
  if (!value) return fallback;
  double number = 0;
  std::string_view unit;
  double scale = 0;
  if (split_unit(*value, number, unit)) {
    if (unit == "ms") scale = 1;
    if (unit == "s" || unit.empty()) scale = 1000;
    if (unit == "m" || unit == "min") scale = 60'000;
    if (unit == "h") scale = 3'600'000;
    if (unit == "d") scale = 86'400'000;
  }
  const double ms = number * scale;
  if (scale == 0 || ms < double(min) || ms > double(max)) {
    fault(key, "must be a time such as 500ms, 30s, 10m, 24h or 7d, from " + time_text(min) + " to " + time_text(max) +
                   ", got '" + *value + "'");
    return fallback;
  }
  return static_cast<int64_t>(ms);
}

uint64_t YamlSection::bytes(std::string_view key, uint64_t fallback, uint64_t min, uint64_t max) {
  const std::optional<std::string> value = scalar(key);
  if (!value) return fallback;
  double number = 0;
  std::string_view unit;
  double scale = 0;
  if (split_unit(*value, number, unit)) {
    if (unit.empty() || unit == "B") scale = 1;
    if (unit == "KiB" || unit == "k") scale = 1024;
    if (unit == "MiB" || unit == "M") scale = 1024.0 * 1024;
    if (unit == "GiB" || unit == "G") scale = 1024.0 * 1024 * 1024;
  }
  const double total = number * scale;
  if (scale == 0 || total < double(min) || total > double(max)) {
    fault(key, "must be a size such as 4096, 64KiB, 128MiB or 1GiB, from " + std::to_string(min) + " to " +
                   std::to_string(max) + " bytes, got '" + *value + "'");
    return fallback;
  }
  return static_cast<uint64_t>(total);
}

std::vector<std::string> YamlSection::texts(std::string_view key) {
  const YAML::Node node = child(key);
  if (!node.IsDefined() || node.IsNull()) return {};
  std::vector<std::string> out;
  const auto add = [&](const YAML::Node& item) {
    Result<std::string> value = item.IsScalar()
                                    ? expand_references(item.Scalar())
                                    : Result<std::string>(Error{Code::invalid, "must be a list of texts", {}});
    if (!value) {
      faults_.push_back({line_of(item), where(key), value.error().message});
    } else if (value->empty()) {
      faults_.push_back({line_of(item), where(key), "holds an empty text"});
    } else {
      out.push_back(*std::move(value));
    }
  };
  if (node.IsSequence())
    for (const auto& item : node) add(item);
  else
    add(node);
  return out;
}

std::map<std::string, double> YamlSection::numbers(std::string_view key, double min, double max) {
  YamlSection inner = section(key);
  std::map<std::string, double> out;
  if (!inner.node_.IsMap()) return out;
  for (const auto& item : inner.node_) {
    const std::string name = item.first.IsScalar() ? item.first.Scalar() : std::string();
    if (name.empty() || item.second.IsNull()) {
      inner.fault(name, name.empty() ? "has a number without a name" : "needs a number; or leave it out");
      continue;
    }
    out[name] = inner.number(name, 0, min, max);
  }
  return out;
}

YamlSection YamlSection::section(std::string_view key) {
  YAML::Node node = child(key);
  return {node.IsDefined() ? node : YAML::Node(YAML::NodeType::Null), where(key), faults_};
}

std::vector<YamlSection> YamlSection::sections(std::string_view key) {
  const YAML::Node node = child(key);
  std::vector<YamlSection> out;
  if (!node.IsDefined() || node.IsNull()) return out;
  if (!node.IsSequence()) {
    fault(key, "must be a list");
    return out;
  }
  size_t i = 0;
  for (const auto& item : node) out.emplace_back(item, where(key) + "[" + std::to_string(i++) + "]", faults_);
  return out;
}

std::string YamlSection::json(std::string_view key, std::map<std::string, int>& lines) {
  const YAML::Node node = child(key);
  if (!node.IsDefined() || node.IsNull()) return "{}";
  return to_json(node, "", lines, 0).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void YamlSection::finish() {
  if (!node_.IsMap()) return;
  for (const auto& item : node_) {
    const std::string key = item.first.IsScalar() ? item.first.Scalar() : std::string("?");
    if (std::find(known_.begin(), known_.end(), key) == known_.end())
      faults_.push_back({line_of(item.first), where(key), "is no key of this section" + did_you_mean(key, known_)});
  }
}

}  // namespace godwit
