// godwit-plugin-check: runs a plugin through the contract of the ABI, each test in a child process of its own.
//
// Exit code: 0 nothing failed, 1 something did, 2 it could not be run as asked.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include <godwit/text.hpp>

#include "sdk/check/child.hpp"
#include "sdk/check/report.hpp"
#include "sdk/check/samples.hpp"
#include "sdk/check/test.hpp"

namespace godwit::check {
namespace {

struct Options {
  std::string plugin, config_file, include, samples, expect;
  std::vector<std::string> secrets;
  bool only_failed = false, in_process = false, json = false, list = false, quick = false;
  uint64_t seed = 1;
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path + ": cannot be read");
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

Subject subject_of(const Options& o) {
  Subject s;
  s.path = std::filesystem::absolute(o.plugin).string();
  if (!std::filesystem::exists(s.path)) throw std::runtime_error(o.plugin + ": no such file");
  if (!o.config_file.empty()) s.given_config = read_file(o.config_file);
  if (!o.samples.empty()) s.samples = read_samples(o.samples);
  for (const std::string& secret : o.secrets) {
    size_t equals = secret.find('=');
    if (equals == std::string::npos)
      throw std::runtime_error("--secret " + secret + ": must be NAME=VALUE or NAME=@FILE");
    std::string value = secret.substr(equals + 1);
    s.secrets[secret.substr(0, equals)] = value.starts_with('@') ? read_file(value.substr(1)) : value;
  }
  s.seed = o.seed;
  return s;
}

int list() {
  std::string group;
  for (const Test& t : all_tests()) {
    if (t.group() != group) std::printf("%s%s\n", group.empty() ? "" : "\n", std::string(t.group()).c_str());
    group = t.group();
    std::printf("  %-34s %s\n", std::string(t.id).c_str(), std::string(t.sentence).c_str());
  }
  return 0;
}

// What a broker asks, in a child of its own, before it loads a file: only whether it can be loaded.
int quick(Subject& s) {
  for (const Test& t : all_tests()) {
    if (t.group() != "load") break;
    if (!t.is_gate && t.id != "load-flags-match-functions") continue;
    Verdict v = run_here([&] { t.run(s); });
    if (!v.is_bad()) continue;
    std::fprintf(stderr, "%s: %s\n", std::string(t.id).c_str(), v.text.c_str());
    return 1;
  }
  return 0;
}

// How many types the plugin carries and what they are called, asked in a child: the parent never loads it.
std::vector<std::string> type_ids(Subject s) {
  Verdict v = run_in_child(
      [&] {
        std::string ids;
        for (s.type_index = 0; s.type_index < s.entry().type_count; ++s.type_index) {
          Subject one = s;
          ids += std::string(view(one.type().id)) + "\n";
        }
        skip(ids);
      },
      std::chrono::seconds(10));
  std::vector<std::string> ids;
  std::string id;
  for (char c : v.kind == Kind::skip ? v.text : "\n") {
    if (c == '\n')
      ids.push_back(std::exchange(id, {}));
    else
      id += c;
  }
  return ids;
}

Verdict run(const Test& test, Subject s, const Options& o) {
  auto body = [&] { test.run(s); };
  return o.in_process ? run_here(body) : run_in_child(body, std::chrono::seconds(test.limit_s));
}

Report run_all(const Options& o, Subject s) {
  Report report{o.plugin, o.only_failed, {}};
  std::regex include(o.include);
  std::string broken_gate;
  std::vector<std::string> ids = type_ids(s);
  for (uint32_t i = 0; i < ids.size(); ++i) {
    s.type_index = i;
    if (ids.size() > 1 && !o.json) std::printf("-- %s\n", ids[i].c_str());
    for (const Test& test : all_tests()) {
      bool once = test.is_gate || test.id == "load-exports-only-entry" || test.id == "load-banned-imports";
      bool wanted = std::regex_search(std::string(test.id), include);
      if ((!wanted && !test.is_gate) || (once && i > 0)) continue;
      auto begin = std::chrono::steady_clock::now();
      Verdict v = broken_gate.empty() ? run(test, s, o) : Verdict{Kind::skip, "needs " + broken_gate};
      auto took = std::chrono::steady_clock::now() - begin;
      if (v.is_bad() && test.is_gate) broken_gate = test.id;
      if (!wanted && !v.is_bad()) continue;
      report.findings.push_back({test, ids[i], v, std::chrono::duration_cast<std::chrono::milliseconds>(took).count()});
      if (!o.json) print_line(report.findings.back(), o.only_failed);
    }
  }
  return report;
}

// For the proof of this program itself: exactly that test fails, nothing else.
int expect(const Report& report, const std::string& id) {
  bool found = false, others = false;
  for (const Finding& f : report.findings) {
    if (!f.verdict.is_bad()) continue;
    (f.test.id == id ? found : others) = true;
  }
  if (found && !others) return 0;
  std::printf("expected exactly %s to fail; %s\n", id.c_str(), !found ? "it did not" : "others failed, too");
  return 1;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"Runs a channel plugin through the contract of the plugin ABI."};
  app.add_option("plugin", o.plugin, "the plugin, a .so");
  app.add_option("config", o.config_file, "its configuration as JSON; default: the example it carries");
  app.add_flag("--only-failed", o.only_failed, "print only what failed");
  app.add_option("--include", o.include, "only tests whose id matches this regular expression");
  app.add_flag("--in-process", o.in_process, "no child processes: for a debugger");
  app.add_flag("--json", o.json, "print JSON");
  app.add_option("--seed", o.seed, "of the fuzzing tests");
  app.add_flag("--list", o.list, "list the tests");
  app.add_option("--samples", o.samples, "folder of webhook samples (*.http)");
  app.add_option("--secret", o.secrets, "NAME=VALUE or NAME=@FILE: what the plugin gets for a secret's name");
  app.add_flag("--quick", o.quick, "only whether it can be loaded, in this very process");
  app.add_option("--expect", o.expect, "succeed if exactly this test fails")->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (o.list) return list();
  try {
    if (o.plugin.empty()) throw std::runtime_error("which plugin? godwit-plugin-check FILE.so");
    Subject subject = subject_of(o);
    if (o.quick) return quick(subject);
    Report report = run_all(o, subject);
    if (o.json)
      print_json(report);
    else
      print_summary(report);
    if (!o.expect.empty()) return expect(report, o.expect);
    return report.is_good() ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "godwit-plugin-check: %s\n", e.what());
    return 2;
  }
}

}  // namespace
}  // namespace godwit::check

int main(int argc, char** argv) {
  return godwit::check::main(argc, argv);
}
