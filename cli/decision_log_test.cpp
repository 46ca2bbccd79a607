#include "cli/decision_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace godwit::cli {
namespace {

using nlohmann::json;

json decision() {
  return json::parse(
      R"({"format":"godwit-decision/1","at_ms":1790000000000,"app":"shop","message_id":"m","device_id":"d",
    "priority":"normal","manufacturer":"Xiaomi","chosen":"mipush","mode":"exploit","propensity":0.9,
    "candidates":[{"channel":"mipush","p":0.81},{"channel":"xinge","p":0.31}],"outcome":"arrived"})");
}

json with(const char* key, json value) {
  json d = decision();
  d[key] = std::move(value);
  return d;
}

DecisionLog log_of(const std::vector<std::string>& lines, const DecisionFilter& filter = {}) {
  DecisionLog log;
  for (const std::string& line : lines) log.add(line, filter);
  return log;
}

TEST(DecisionLog, KeepsWhatTheBrokerWrote) {
  const DecisionLog log = log_of({decision().dump(), with("chosen", "xinge").dump(), with("outcome", "silent").dump()});
  ASSERT_EQ(log.decisions.size(), 3u);
  EXPECT_EQ(log.damaged, 0u);
  EXPECT_EQ(log.decisions[0].chosen, 0u);
  EXPECT_TRUE(log.decisions[0].delivered);
  EXPECT_EQ(log.decisions[0].manufacturer, "Xiaomi");
  EXPECT_EQ(log.decisions[1].chosen, 1u);
  EXPECT_FALSE(log.decisions[2].delivered);
  EXPECT_TRUE(log.has_channel("xinge"));
  EXPECT_FALSE(log.has_channel("xing"));
}

TEST(DecisionLog, CountsApartWhatCannotTeach) {
  const DecisionLog log = log_of({with("mode", "probe").dump(), with("outcome", "unknown").dump()});
  EXPECT_TRUE(log.decisions.empty());
  EXPECT_EQ(log.probes, 1u);
  EXPECT_EQ(log.untold, 1u);
}

TEST(DecisionLog, NeverEstimatesFromADamagedLine) {
  const std::string torn = decision().dump().substr(0, 80);
  const json twice = json::parse(R"([{"channel":"mipush","p":0.5},{"channel":"mipush","p":0.5}])");
  for (const std::string& line : {torn,
                                  std::string(),
                                  std::string("\0\x01", 2),
                                  std::string("5"),
                                  std::string("[]"),
                                  std::string("{}"),
                                  std::string("{\"format\":5}"),
                                  with("format", 5).dump(),
                                  with("format", "godwit-decision/2").dump(),
                                  with("propensity", 0).dump(),
                                  with("propensity", -0.5).dump(),
                                  with("propensity", 50).dump(),
                                  with("propensity", 1e-300).dump(),
                                  with("propensity", nullptr).dump(),
                                  with("propensity", "0.5").dump(),
                                  with("outcome", "lost").dump(),
                                  with("outcome", 5).dump(),
                                  with("chosen", "nobody").dump(),
                                  with("chosen", nullptr).dump(),
                                  with("candidates", json::array()).dump(),
                                  with("candidates", "mipush").dump(),
                                  with("candidates", json::array({5})).dump(),
                                  with("candidates", twice).dump(),
                                  with("candidates", json::array({{{"channel", "mipush"}, {"p", 5e10}}})).dump(),
                                  with("candidates", json::array({{{"channel", "mipush"}, {"p", -3}}})).dump()}) {
    const DecisionLog log = log_of({line});
    EXPECT_TRUE(log.decisions.empty()) << line;
    EXPECT_EQ(log.damaged, 1u) << line;
  }
  std::string nan = decision().dump();
  nan.replace(nan.find("0.9"), 3, "NaN");
  EXPECT_EQ(log_of({nan}).damaged, 1u) << nan;
}

TEST(DecisionLog, SaysWhyThereIsNothingToReplay) {
  const auto dir = std::filesystem::temp_directory_path() / ("godwit-decisions-" + std::to_string(getpid()));
  std::filesystem::create_directories(dir);
  const auto says = [&](const std::string& text, const DecisionFilter& filter = {}) {
    const std::string file = (dir / "decisions.ndjson").string();
    std::ofstream(file) << text;
    const Result<DecisionLog> log = read_decision_log({file}, filter);
    EXPECT_FALSE(log);
    const std::string message = log ? "" : log.error().message;
    EXPECT_TRUE(message.starts_with(file + " ")) << message;
    return message;
  };
  const std::string line = decision().dump() + "\n";
  EXPECT_NE(says("").find("is empty"), std::string::npos);
  EXPECT_NE(says("hello\n").find("is no decision log"), std::string::npos);
  EXPECT_NE(says(line, {"bank", ""}).find("has no decision of app 'bank'"), std::string::npos);
  EXPECT_NE(says(line, {"", "high"}).find("has no decision of priority 'high'"), std::string::npos);
  EXPECT_NE(says(with("outcome", "unknown").dump() + "\n").find("raise routing.decision_log.share"), std::string::npos);
  for (const std::string& file : {dir.string(), (dir / "absent").string()}) {
    const Result<DecisionLog> log = read_decision_log({file}, {});
    ASSERT_FALSE(log);
    EXPECT_TRUE(log.error().message.starts_with(file + " cannot be read")) << log.error().message;
  }
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace godwit::cli
