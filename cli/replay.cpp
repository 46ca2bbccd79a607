// What another policy would have delivered, from the broker's decision log.
#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "broker/routing/replay.hpp"
#include "cli/context.hpp"
#include "cli/decision_log.hpp"

namespace godwit::cli {

using nlohmann::json;
using routing::LoggedDecision;

namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty()) out.push_back(part);
  return out;
}

struct Named {
  std::string name;
  routing::ReplayPolicy policy;
};

// static-best makes its table from the first half of the log; every policy is judged by the second.
Result<Named> policy_named(const std::string& name, const DecisionLog& log) {
  const auto first_half = std::span<const LoggedDecision>(log.decisions).first(log.decisions.size() / 2);
  if (name == "believed") return Named{name, routing::as_believed()};
  if (name == "random") return Named{name, routing::uniform()};
  if (name == "static-best") return Named{name, routing::static_best(first_half)};
  const auto wrong = [&](const std::string& what) {
    return Error{Code::invalid, "--policy " + name + ": " + what, {}};
  };
  if (!name.starts_with("prefer:")) return wrong("is none of believed, random, static-best, prefer:CHANNEL,CHANNEL,…");
  const std::vector<std::string> wish = split(name.substr(7));
  if (wish.empty()) return wrong("name the channels to prefer, the best one first");
  for (const std::string& channel : wish)
    if (!log.has_channel(channel)) return wrong("no decision in the log had a choice of '" + channel + "'");
  return Named{name, routing::in_order(wish)};
}

std::string with_interval(const routing::ReplayValue& v) {
  return percent(v.mean) + " (" + percent(v.interval.low) + " – " + percent(v.interval.high) + ")";
}

json as_json(const routing::ReplayValue& v) {
  return {{"mean", v.mean}, {"low", v.interval.low}, {"high", v.interval.high}};
}

void show(const Context& context, const DecisionLog& log, const std::vector<Named>& policies) {
  const std::span<const LoggedDecision> all(log.decisions);
  const auto judged = all.subspan(all.size() / 2);
  Table table({{"POLICY"},
               {"AGREES", Table::Align::right},
               {"WORTH", Table::Align::right},
               {"BY PROPENSITY", Table::Align::right},
               {"DOUBLY ROBUST", Table::Align::right}});
  json out{
      {"lines", log.lines},     {"others", log.others},       {"probes", log.probes},   {"without_outcome", log.untold},
      {"damaged", log.damaged}, {"one_candidate", log.alone}, {"judged", judged.size()}};
  bool any_unknown = false;
  for (const Named& p : policies) {
    const routing::ReplayResult r = routing::replay(judged, p.policy);
    out["logged"] = as_json(r.logged);
    out["policies"].push_back({{"policy", p.name},
                               {"agreement", r.agreement},
                               {"effective_decisions", r.effective},
                               {"estimate", r.is_estimate()},
                               {"inverse_propensity", as_json(r.inverse_propensity)},
                               {"doubly_robust", as_json(r.doubly_robust)}});
    table.row({p.name, percent(r.agreement), grouped(static_cast<uint64_t>(std::llround(r.effective))),
               r.is_estimate() ? with_interval(r.inverse_propensity) : "no estimate",
               r.is_estimate() ? with_interval(r.doubly_robust) : "no estimate"});
    any_unknown |= !r.is_estimate();
  }
  if (context.json) return context.print_json(out);
  const routing::ReplayResult own = routing::replay(judged, routing::as_believed());
  std::printf(
      "%s decisions judged (of %s lines: %s probes, %s without a known outcome, %s damaged)\n"
      "delivered by the first send, as it happened: %s\n\n",
      grouped(judged.size()).c_str(), grouped(log.lines).c_str(), grouped(log.probes).c_str(),
      grouped(log.untold).c_str(), grouped(log.damaged).c_str(), with_interval(own.logged).c_str());
  context.print(table);
  if (any_unknown)
    std::printf(
        "\nNo estimate: the log agrees with the policy too rarely (WORTH below %.0f decisions), or never tried much of "
        "what\n"
        "it would choose. A longer log, a larger routing.decision_log.share or routing.audit: 0.01 lets it be "
        "judged.\n",
        routing::ReplayResult::kLeastEffective);
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  CLI::App* replay = app.add_subcommand(
      "replay",
      "what another policy would have delivered with the logged first sends, before anybody switches to it\n"
      "policies: believed (best chance, no exploration), random, static-best (a table per manufacturer),\n"
      "prefer:A,B (the first of these that is awake)");
  auto files = std::make_shared<std::vector<std::string>>();
  auto names = std::make_shared<std::vector<std::string>>();
  auto of_app = std::make_shared<std::string>(), priority = std::make_shared<std::string>();
  replay->add_option("FILE", *files, "decisions.ndjson of the broker's data_dir, oldest first")->required();
  replay->add_option("--policy", *names, "one or several")->allow_extra_args(false);
  replay->add_option("--app", *of_app, "only this app's messages");
  replay->add_option("--priority", *priority, "only messages of this priority")
      ->check(CLI::IsMember({"critical", "high", "normal", "low"}));
  replay->callback([&context, files, names, of_app, priority] {
    const Result<DecisionLog> log = read_decision_log(*files, {*of_app, *priority});
    if (!log) return context.fail(log.error());
    if (names->empty()) *names = {"believed", "static-best", "random"};
    std::vector<Named> policies;
    for (const std::string& name : *names) {
      Result<Named> policy = policy_named(name, *log);
      if (!policy) return context.fail(policy.error());
      policies.push_back(std::move(*policy));
    }
    show(context, *log, policies);
  });
}

}  // namespace godwit::cli
