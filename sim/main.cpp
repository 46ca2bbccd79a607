// godwit-sim: runs the routing engine over a simulated fleet, or over a tape of fixed fates, and compares policies.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "sim/open_source.hpp"
#include "sim/report.hpp"
#include "sim/strict_json.hpp"

namespace {

using namespace godwit::sim;

// One line on standard error that is redrawn; nothing when nobody looks.
void show_progress(double share, const std::string& what) {
  constexpr int kWidth = 30;
  if (isatty(STDERR_FILENO) == 0) return;
  const int full = static_cast<int>(share * kWidth);
  std::cerr << "\r[" << std::string(static_cast<size_t>(full), '#')
            << std::string(static_cast<size_t>(kWidth - full), '.') << "] " << static_cast<int>(share * 100) << " % "
            << what << "\x1b[K";
  if (share >= 1) std::cerr << "\r\x1b[K";
  std::cerr << std::flush;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty()) out.push_back(part);
  return out;
}

std::vector<std::string> chosen_policies(const std::string& text) {
  if (text == "all") return policy_names();
  std::vector<std::string> out = split(text);
  for (const std::string& name : out) {
    const auto& known = policy_names();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string all;
    for (const std::string& k : known) all += " " + k;
    throw BadInput("--policy: \"" + name + "\" is none of: all" + all);
  }
  if (out.empty()) throw BadInput("--policy: name at least one");
  return out;
}

int run_command(const std::string& file, const std::string& policies, const std::string& seeds,
                const std::string& sends, bool json, const std::string& svg) {
  const Opened opened = open_source(file);
  StudyPlan plan;
  plan.policies = chosen_policies(policies);
  for (const std::string& s : split(seeds)) {
    char* end = nullptr;
    plan.seeds.push_back(std::strtoull(s.c_str(), &end, 10));
    if (*end != '\0') throw BadInput("--seeds: \"" + s + "\" is not a number");
  }
  if (plan.seeds.empty() || !opened.takes_seeds) plan.seeds = {opened.seed};
  plan.single = sends != "cascade";
  plan.cascade = sends != "single";
  const Study study = run_study(opened.source_of, plan, show_progress);
  if (!svg.empty()) {
    std::ofstream out(svg);
    out << to_svg(study);
    if (!out) throw BadInput(svg + ": cannot be written");
  }
  if (json) {
    std::cout << to_json(study) << '\n';
  } else {
    print_table(std::cout, study);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Simulates a fleet of devices and compares how policies route messages to them.", "godwit-sim");
  app.require_subcommand(1);
  std::string file, policies = "godwit", seeds, sends = "both", svg, tape;
  bool json = false;
  CLI::App* run = app.add_subcommand("run", "Run policies over a scenario or a tape");
  run->add_option("FILE", file, "push-routing-scenario/1 or push-routing-tape/1")->required();
  run->add_option("--policy", policies,
                  "godwit, oracle, random, static-best, greedy, epsilon (comma-separated), or all");
  run->add_option("--seeds", seeds, "Seeds, comma-separated; the scenario's own if absent");
  run->add_option("--sends", sends, "single, cascade or both")->check(CLI::IsMember({"single", "cascade", "both"}));
  run->add_flag("--json", json, "JSON instead of a table");
  run->add_option("--svg", svg, "Write curves (delivery, regret, traffic) to this file");
  CLI::App* make = app.add_subcommand("tape", "Write the fates of a scenario as a tape");
  make->add_option("FILE", file, "push-routing-scenario/1")->required();
  make->add_option("OUT", tape, "The tape to write")->required();
  make->add_option("--seeds", seeds, "One seed; the scenario's own if absent");
  CLI11_PARSE(app, argc, argv);
  try {
    if (*make) {
      write_tape(file, seeds.empty() ? std::nullopt : std::optional<uint64_t>(std::stoull(seeds)), tape);
      return 0;
    }
    return run_command(file, policies, seeds, sends, json, svg);
  } catch (const BadInput& e) {
    std::cerr << "godwit-sim: " << e.what() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "godwit-sim: " << e.what() << '\n';
    return 1;
  }
}
