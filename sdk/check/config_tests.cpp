// Group config: what the plugin does with configurations that a host would normally refuse before it sees them.
#include <godwit/text.hpp>

#include "sdk/check/child.hpp"
#include "sdk/check/schema.hpp"
#include "sdk/check/test.hpp"

namespace godwit::check {
namespace {

struct Answer {
  bool refused = false;
  std::vector<testhost::DiagLine> reports;
};

// check_config, then a short life if the configuration is taken.
Answer try_config(Subject& s, const std::string& config) {
  Answer answer;
  testhost::DiagLog diag;
  if (s.ops().check_config && s.ops().check_config(str(config), diag.get()) != GW_OK) {
    answer.refused = true;
    answer.reports = diag.lines();
  }
  auto instance = s.instance();
  if (instance->create(config) != GW_OK) {
    answer.refused = true;
    for (const auto& line : instance->diag().lines()) answer.reports.push_back(line);
    return answer;
  }
  if (instance->start() == GW_OK) instance->host().run_for(1'000'000'000);
  return answer;
}

// Every mutant in a child of its own; a crash or a hang is the plugin's fault, refusing and accepting are both fine.
void survive(Subject& s, const std::vector<Mutant>& mutants, const std::string& if_none) {
  if (mutants.empty()) skip(if_none);
  for (const Mutant& mutant : mutants) {
    Verdict v = run_in_child([&] { try_config(s, mutant.config); }, std::chrono::seconds(5));
    if (v.is_bad()) fail((mutant.property.empty() ? "" : "/" + mutant.property + " ") + mutant.what + ": " + v.text);
  }
}

void required_removed(Subject& s) {
  survive(s, without_required(s.schema(), s.config()), "the schema requires nothing");
}

void type_flipped(Subject& s) {
  survive(s, with_flipped_types(s.config()), "the configuration is empty");
}

void huge_deep(Subject& s) {
  survive(s, huge_and_deep(s.config()), "");
}

void secret_missing(Subject& s) {
  auto secrets = secret_properties(s.schema());
  if (secrets.empty()) skip("the schema has no secret");
  auto instance = s.instance();
  instance->host().secrets().clear();
  if (instance->create(s.config()) != GW_OK) return;
  if (instance->start() != GW_OK) return;
  instance->host().run_for(10'000'000'000);
  uint32_t state = instance->host().state();
  require(state != GW_STATE_READY, "it says READY although the host has none of its secrets (/" + secrets[0] + ")");
  if (state == GW_STATE_STARTING)
    warn("it stays STARTING without its secret: say DOWN or FAILED, with the secret's name");
  require(!instance->host().state_reason().empty(), "it gives no reason for its state");
}

void reports_pointer(Subject& s) {
  std::vector<Mutant> mutants = without_required(s.schema(), s.config());
  for (Mutant& m : with_flipped_types(s.config())) mutants.push_back(std::move(m));
  int refused = 0;
  for (const Mutant& mutant : mutants) {
    // A child that says `skip` took it; a crash belongs to the other tests.
    Verdict v = run_in_child(
        [&] {
          Answer answer = try_config(s, mutant.config);
          if (!answer.refused) skip("taken");
          std::string pointer = "/" + mutant.property;
          for (const auto& line : answer.reports)
            if (line.where == pointer || line.where.starts_with(pointer + "/")) return;
          fail(answer.reports.empty() ? "it was refused without a word"
                                      : "no report names it; the first says \"" + answer.reports[0].where +
                                            "\": " + answer.reports[0].text);
        },
        std::chrono::seconds(5));
    if (v.kind == Kind::fail) fail("/" + mutant.property + " " + mutant.what + ": " + v.text);
    refused += v.kind == Kind::pass;
  }
  if (refused == 0) skip("it refused none of the bent configurations: the schema says it all");
}

}  // namespace

void add_config_tests(Tests& tests) {
  tests.insert(tests.end(),
               {{"config-required-removed", "A missing property is no crash.", required_removed, 60},
                {"config-type-flipped", "A property of another type is no crash.", type_flipped, 120},
                {"config-huge-deep", "Huge and deeply nested configurations are no crash.", huge_deep, 120},
                {"config-secret-missing", "Without its secret it does not claim to be READY.", secret_missing},
                {"config-reports-pointer", "A refusal names the property by a JSON pointer.", reports_pointer, 120}});
}

}  // namespace godwit::check
