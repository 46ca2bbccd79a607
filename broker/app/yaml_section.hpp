// YamlSection reads one mapping of the configuration: typed, with ranges, and with the line of every fault.
//
// Each getter marks its key as known; finish() reports the keys that nobody asked for, with the nearest known one.
// Faults are collected, never thrown, so that a person sees everything that is wrong at once.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/app/config.hpp"

namespace godwit {

class YamlSection {
 public:
  YamlSection(YAML::Node node, std::string path, std::vector<ConfigFault>& faults);

  bool has(std::string_view key);
  int line() const;
  const std::string& path() const { return path_; }

  // Each answers `fallback` when the key is absent, and reports a fault (and answers `fallback`) when the value does
  // not fit.
  std::string text(std::string_view key, std::string fallback = {});
  std::string choice(std::string_view key, std::initializer_list<std::string_view> allowed, std::string fallback);
  int64_t integer(std::string_view key, int64_t fallback, int64_t min, int64_t max);
  double number(std::string_view key, double fallback, double min, double max);
  bool flag(std::string_view key, bool fallback);
  int64_t duration_ms(std::string_view key, int64_t fallback, int64_t min, int64_t max);  // 500ms, 30s, 10m, 24h, 7d
  uint64_t bytes(std::string_view key, uint64_t fallback, uint64_t min, uint64_t max);    // 4096, 64KiB, 128MiB, 1GiB
  std::vector<std::string> texts(std::string_view key);                                   // a list, or one value
  std::map<std::string, double> numbers(std::string_view key, double min, double max);

  std::string required_text(std::string_view key);

  YamlSection section(std::string_view key);                // an empty one when absent
  std::vector<YamlSection> sections(std::string_view key);  // a list of mappings

  // The value as JSON, ${…} untouched; `lines` gets the line of each JSON pointer below it.
  std::string json(std::string_view key, std::map<std::string, int>& lines);

  void fault(std::string_view key, std::string text);
  void finish();

 private:
  YAML::Node child(std::string_view key);
  std::optional<std::string> scalar(std::string_view key);
  std::string where(std::string_view key) const;

  YAML::Node node_;
  std::string path_;
  std::vector<ConfigFault>& faults_;
  std::vector<std::string> known_;
};

}  // namespace godwit
