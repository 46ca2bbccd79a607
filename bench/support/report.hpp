// Report: the result of a benchmark, in the one shape that bench/run reads:
//   {bench, machine{cpu, cores}, godwit{…}, peer{name, …}, ratio, goal{…}}
#pragma once

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace godwit::bench {

inline nlohmann::json machine() {
  std::string cpu = "unknown", line;
  for (std::ifstream in("/proc/cpuinfo"); std::getline(in, line);)
    if (line.starts_with("model name")) {
      cpu = line.substr(line.find(':') + 2);
      break;
    }
  return {{"cpu", cpu}, {"cores", std::thread::hardware_concurrency()}};
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// Prints the JSON line, or a few lines for people.
inline void print(const nlohmann::json& report, bool as_json) {
  if (as_json) {
    std::printf("%s\n", report.dump().c_str());
    return;
  }
  std::printf("%s", report.at("bench").get<std::string>().c_str());
  if (report.contains("ratio")) std::printf("   ratio %.3g", report["ratio"].get<double>());
  std::printf("\n");
  for (const char* side : {"godwit", "peer", "goal"})
    if (report.contains(side)) std::printf("  %-7s %s\n", side, report[side].dump().c_str());
}

}  // namespace godwit::bench
