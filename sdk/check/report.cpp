#include "sdk/check/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace godwit::check {
namespace {

const char* colour(Kind kind) {
  if (!isatty(STDOUT_FILENO)) return "";
  switch (kind) {
    case Kind::pass:
      return "\033[32m";
    case Kind::warn:
      return "\033[33m";
    case Kind::skip:
      return "\033[2m";
    default:
      return "\033[1;31m";
  }
}

const char* plain() {
  return isatty(STDOUT_FILENO) ? "\033[0m" : "";
}

}  // namespace

size_t Report::count(Kind kind) const {
  return static_cast<size_t>(
      std::count_if(findings.begin(), findings.end(), [kind](const Finding& f) { return f.verdict.kind == kind; }));
}

void print_line(const Finding& f, bool only_failed) {
  if (only_failed && !f.verdict.is_bad()) return;
  std::printf("%s%-5s%s  %-34s %s\n", colour(f.verdict.kind), to_string(f.verdict.kind), plain(),
              std::string(f.test.id).c_str(),
              f.verdict.text.empty() ? std::string(f.test.sentence).c_str() : f.verdict.text.c_str());
  std::fflush(stdout);
}

void print_summary(const Report& r) {
  std::printf("%s: %zu passed, %zu failed, %zu crashed, %zu warned, %zu skipped\n", r.plugin.c_str(),
              r.count(Kind::pass), r.count(Kind::fail), r.count(Kind::crash), r.count(Kind::warn), r.count(Kind::skip));
}

void print_json(const Report& r) {
  nlohmann::ordered_json out;
  out["plugin"] = r.plugin;
  out["ok"] = r.is_good();
  for (Kind kind : {Kind::pass, Kind::fail, Kind::crash, Kind::warn, Kind::skip})
    out["counts"][to_string(kind)] = r.count(kind);
  out["tests"] = nlohmann::ordered_json::array();
  for (const Finding& f : r.findings) {
    if (r.only_failed && !f.verdict.is_bad()) continue;
    nlohmann::ordered_json test{{"id", f.test.id}, {"group", f.test.group()}, {"result", to_string(f.verdict.kind)}};
    if (!f.type_id.empty()) test["type"] = f.type_id;
    if (!f.verdict.text.empty()) test["text"] = f.verdict.text;
    test["ms"] = f.took_ms;
    out["tests"].push_back(std::move(test));
  }
  std::puts(out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

}  // namespace godwit::check
