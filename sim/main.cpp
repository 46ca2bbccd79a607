// godwit-sim: runs the routing engine over a simulated fleet, or over a tape of fixed fates, and compares policies.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
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
  for (std::string part; std::getline(in, part, ',');) {
    part.erase(0, std::min(part.find_first_not_of(' '), part.size()));
    part.erase(part.find_last_not_of(' ') + 1);
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

uint64_t read_seed(const std::string& text) {
  uint64_t seed = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seed);
  if (error != std::errc() || stop != end)
    throw BadInput("--seeds: \"" + text + "\" is not a whole number from 0 to 18446744073709551615");
  return seed;
}

std::vector<uint64_t> read_seeds(const std::string& text) {
  std::vector<uint64_t> seeds;
  for (const std::string& part : split(text)) {
    seeds.push_back(read_seed(part));
    // The same fates twice would make the intervals narrower than they are.
    if (std::find(seeds.begin(), seeds.end() - 1, seeds.back()) != seeds.end() - 1)
      throw BadInput("--seeds: " + part + " is there twice");
  }
  return seeds;
}

std::vector<std::string> chosen_policies(const std::string& text) {
  if (text == "all") return policy_names();
  std::vector<std::string> out;
  for (const std::string& name : split(text)) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
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
  plan.seeds = read_seeds(seeds);
  if (!opened.takes_seeds && !plan.seeds.empty())
    std::cerr << "godwit-sim: " << file << " is a tape, which has one fate; --seeds is not used\n";
  if (plan.seeds.empty() || !opened.takes_seeds) plan.seeds = {opened.seed};
  std::ofstream curves;
  if (!svg.empty()) {  // before minutes of work
    curves.open(svg);
    if (!curves) throw BadInput(svg + ": cannot be written");
  }
  plan.single = sends != "cascade";
  plan.cascade = sends != "single";
  const Study study = run_study(opened.source_of, plan, show_progress);
  if (!svg.empty()) {
    curves << to_svg(study) << std::flush;
    if (!curves) throw BadInput(svg + ": cannot be written");
  }
  if (json) {
    std::cout << to_json(study) << '\n';
  } else {
    print_table(std::cout, study);
  }
  if (!std::cout.flush()) throw BadInput("standard output: cannot be written");
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
  make->add_option("--seed,--seeds", seeds, "One seed; the scenario's own if absent");
  CLI11_PARSE(app, argc, argv);
  try {
    if (*make) {
      write_tape(file, seeds.empty() ? std::nullopt : std::optional(read_seed(seeds)), tape);
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
