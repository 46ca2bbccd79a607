#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sim/open_source.hpp"
#include "sim/report.hpp"
#include "sim/scenario.hpp"
#include "sim/scenario_file.hpp"
#include "sim/strict_json.hpp"
#include "sim/tape.hpp"
#include "sim/world.hpp"

namespace godwit::sim {
namespace {

constexpr const char* kSmall = R"({
  "format": "push-routing-scenario/1", "name": "small", "seed": 5,
  "clock": {"start_hour": 8, "warmup_h": 2, "measure_h": 4},
  "fleet": {"devices": 400, "messages_per_device_day": 24,
    "manufacturers": [{"name": "xiaomi", "share": 0.6}, {"name": "vivo", "share": 0.4}],
    "os_levels": [{"name": "old", "share": 1}, {"name": "new", "share": 1}], "regions": [{"name": "r0", "share": 1}],
    "interaction_sd": {"segment": 0.2}, "device_effects": {"sd": 0.3, "dead_token": 0.05, "dormant": 0.02}},
  "channels": [
    {"name": "mipush", "kind": "vendor", "token": {"xiaomi": 1, "*": 0.5}, "base_logit": {"xiaomi": 2.5, "*": 0.3},
     "delay": {"median_s": 0.8, "sigma": 0.5}, "cost": 0.005, "dedupe": 0.7,
     "receipt": {"mode": "device", "coverage": 0.95, "delay": {"median_s": 1, "sigma": 0.5}}},
    {"name": "third", "kind": "third", "token": {"*": 0.9}, "base_logit": {"*": 1.0},
     "delay": {"median_s": 1, "sigma": 0.5}, "cost": 0.004,
     "receipt": {"mode": "app", "coverage": 0.95, "device_share": 0.7, "delay": {"median_s": 1, "sigma": 0.5}}}],
  "radio": {"off_day": 0.05, "off_night": 0.1}, "piggyback": 0.7, "duplicate_penalty": 0.3,
  "classes": [{"name": "critical", "share": 0.2, "deadline_s": 30, "value": 10, "explore": 0},
              {"name": "normal", "share": 0.8, "deadline_s": 3600, "value": 0.5, "explore": 0.002}],
  "events": [{"type": "rate", "channel": "mipush", "t0": 10800, "t1": 14400, "mul": 0.0, "watch": true}]
})";

struct Simulation : ::testing::Test {
  std::filesystem::path dir = std::filesystem::temp_directory_path() / ("godwit-sim-test-" + std::to_string(getpid()));
  void SetUp() override { std::filesystem::create_directories(dir); }
  void TearDown() override { std::filesystem::remove_all(dir); }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(dir / name) << text;
    return (dir / name).string();
  }
  std::string small(const std::string& patch = "{}") const {
    nlohmann::json j = nlohmann::json::parse(kSmall);
    j["patch"] = nlohmann::json::parse(patch);
    return file("small.json", j.dump());
  }
  std::string complaint(const std::string& path) const {
    try {
      (void)read_scenario(path);
    } catch (const BadInput& e) {
      return e.what();
    }
    return "";
  }
  static Study study(const std::string& path, std::vector<std::string> policies) {
    const Opened opened = open_source(path);
    return run_study(opened.source_of, {std::move(policies), {opened.seed}, true, true},
                     [](double, const std::string&) {});
  }
};

TEST_F(Simulation, UnknownKeysAreErrorsThatNameTheirPlace) {
  EXPECT_EQ(complaint(small()), "");
  EXPECT_NE(complaint(small(R"({"channels.third.reciept": 1})")).find("/channels/1/reciept: unknown key"),
            std::string::npos);
  EXPECT_NE(complaint(small(R"({"fleet.os": []})")).find("/fleet/os: unknown key"), std::string::npos);
  EXPECT_NE(complaint(small(R"({"events.0.until": 5})")).find("/events/0/until: unknown key"), std::string::npos);
}

TEST_F(Simulation, WrongValuesSayWhatWouldBeRight) {
  EXPECT_NE(complaint(small(R"({"piggyback": 1.5})")).find("/piggyback: is 1.5, must be between 0 and 1"),
            std::string::npos);
  EXPECT_NE(complaint(small(R"({"channels.third.kind": "fourth"})")).find("none of: vendor, third, connection, paid"),
            std::string::npos);
  EXPECT_NE(complaint(small(R"({"events.0.channel": "nobody"})")).find("there is no channel \"nobody\""),
            std::string::npos);
  EXPECT_NE(complaint(small(R"({"channels.nobody.cost": 1})")).find("there is no \"nobody\" here"), std::string::npos);
  EXPECT_NE(complaint((dir / "absent.json").string()).find("cannot be read"), std::string::npos);
  EXPECT_NE(complaint(file("torn.json", "{\"format\":")).find("parse error"), std::string::npos);
}

TEST_F(Simulation, ExtendsAndPatchChangeOnlyWhatTheyName) {
  (void)small();
  const std::string child =
      file("child.json", R"({"format": "push-routing-scenario/1", "name": "child", "extends": "small.json",
    "patch": {"channels.third.receipt.device_share": 0.25}, "events": []})");
  const Scenario s = read_scenario(child);
  EXPECT_EQ(s.name, "child");
  EXPECT_TRUE(s.events.empty());
  EXPECT_EQ(s.channels[1].device_share, 0.25);
  EXPECT_EQ(s.channels[1].coverage, 0.95);
  EXPECT_EQ(s.fleet.devices, 400u);
  EXPECT_NE(complaint(file("loop.json", R"({"extends": "loop.json"})")).find("circle"), std::string::npos);
}

TEST_F(Simulation, TheWorldDoesWhatItsProbabilitiesSay) {
  World world(read_scenario(small()), 5);
  DeviceChange d;
  Message m;
  double expected = 0, worked = 0, inside = 0, n = 0;
  for (Source::Kind kind; (kind = world.next(d, m)) != Source::Kind::end;) {
    if (kind != Source::Kind::message) continue;
    for (size_t c = 0; c < 2; ++c) {
      expected += m.fates[c].p;
      worked += m.fates[c].works;
      n += 1;
    }
    if (m.t >= 10800 && m.t < 14400) inside += m.fates[0].works;
  }
  EXPECT_GT(n, 2000);
  EXPECT_NEAR(worked / n, expected / n, 3 * std::sqrt(0.25 / n));
  EXPECT_EQ(inside, 0);  // the outage
}

TEST_F(Simulation, ATokenThatIsGivenForOneManufacturerBelongsToNoOther) {
  const auto tokens_of = [this](const std::string& patch, const std::string& maker) {
    World world(read_scenario(small(patch)), 5);
    DeviceChange d;
    Message m;
    unsigned with = 0, all = 0;
    while (world.next(d, m) == Source::Kind::device)
      if (d.maker == maker) ++all, with += d.tokens & 1u;
    return std::pair(with, all);
  };
  const std::string only_xiaomi = R"({"channels.mipush.token": {"xiaomi": 1}})";
  const auto [xiaomi, all_xiaomi] = tokens_of(only_xiaomi, "xiaomi");
  EXPECT_GT(xiaomi, 0u);
  EXPECT_EQ(xiaomi, all_xiaomi);
  EXPECT_EQ(tokens_of(only_xiaomi, "vivo").first, 0u);
  const auto [number, all_vivo] = tokens_of(R"({"channels.mipush.token": 1})", "vivo");
  EXPECT_GT(number, 0u);
  EXPECT_EQ(number, all_vivo);
}

TEST_F(Simulation, ATapePlaysExactlyLikeTheScenarioThatItWasMadeFrom) {
  const std::string scenario = small(), tape = (dir / "small.tape").string();
  write_tape(scenario, std::nullopt, tape);
  const Study a = study(scenario, {"godwit"}), b = study(tape, {"godwit"});
  const Score& x = a.seeds[0].by_policy.at("godwit").cascade;
  const Score& y = b.seeds[0].by_policy.at("godwit").cascade;
  EXPECT_EQ(x.messages, y.messages);
  EXPECT_EQ(x.delivered, y.delivered);
  EXPECT_NEAR(x.utility, y.utility, 1e-6);
  ASSERT_EQ(x.reactions.size(), y.reactions.size());
  EXPECT_EQ(x.reactions[0].lost, y.reactions[0].lost);
}

TEST_F(Simulation, TapesWithFaultsNameTheLine) {
  const std::string header =
      R"({"format":"push-routing-tape/1","channels":[{"name":"a"}],"classes":[{"name":"normal","deadline_s":60,"value":1}]})";
  const auto complain = [&](const std::string& lines) -> std::string {
    try {
      (void)read_tape(file("t.tape", header + "\n" + lines));
    } catch (const BadInput& e) {
      return e.what();
    }
    return "";
  };
  const std::string dev =
      R"({"type":"dev","t":0,"d":1,"maker":"x","os":"o","region":"r","tokens":["a"],"reports":["a"],"why":"new"})";
  EXPECT_EQ(
      complain(
          dev + "\n" +
          R"({"type":"msg","t":1,"id":7,"d":1,"cls":"normal","away_s":0,"channels":{"a":{"p":0.5,"works":true,"delay_s":1,"receipt_s":null}}})"),
      "");
  EXPECT_NE(complain(dev + "\n{\"type\":\"msg\"").find("line 3"), std::string::npos);
  EXPECT_NE(complain(dev + "\n" + R"({"type":"msg","t":1,"id":7,"d":1,"cls":"none","channels":{}})").find("/cls"),
            std::string::npos);
  EXPECT_NE(complain(R"({"type":"msg","t":1,"id":7,"d":1,"cls":"normal","channels":{}})").find("no dev line"),
            std::string::npos)
      << "ended the program before";
  EXPECT_NE(complain(dev + "\n" + R"({"type":"msg","t":1,"id":7,"d":1,"cls":"normal","channels":{"a":{"works":true}}})")
                .find("/channels/a/delay_s: is missing"),
            std::string::npos);
  EXPECT_NE(complain(dev + "\n" + R"({"type":"msg","t":1,"id":7,"d":1,"cls":"normal","channels":{"b":{}}})")
                .find("line 3: there is no channel \"b\""),
            std::string::npos);
  EXPECT_NE(complain(dev + "\n" + R"({"type":"msg","t":1e999,"id":7,"d":1})").find("line 3: number overflow"),
            std::string::npos);
  EXPECT_NE(complain(R"({"type":"what"})").find("neither dev nor msg"), std::string::npos);
}

TEST_F(Simulation, TheHeaderOfATapeNamesOnlyChannelsThatItHas) {
  const auto complain = [&](const std::string& more, const std::string& format = "push-routing-tape/1") {
    try {
      (void)open_source(file("t.tape", "\n{\"format\":\"" + format + R"(","channels":[{"name":"a"}],)" +
                                           R"("classes":[{"name":"normal","deadline_s":60,"value":1}])" + more +
                                           "}\n"));
    } catch (const BadInput& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(complain(R"(,"limits":[{"type":"quota","channel":"*","per_day":5}])"), "");
  EXPECT_NE(complain(R"(,"watch":[{"channel":"b","t0":0}])").find("/watch/0: there is no channel \"b\""),
            std::string::npos);
  EXPECT_NE(
      complain(R"(,"limits":[{"type":"quota","channel":"b","per_day":5}])").find("/limits/0: there is no channel"),
      std::string::npos);
  EXPECT_NE(complain(R"(,"limits":[{"type":"rate","channel":"a","mul":0}])").find("/limits/0/type: must be quota"),
            std::string::npos);
  EXPECT_NE(complain("", "push-routing-tape/2").find("/format: must be push-routing-tape/1"), std::string::npos);
}

TEST_F(Simulation, AnEmptyTapeHasNoTimesAndStillItsCurves) {
  const std::string path = file(
      "t.tape",
      R"({"format":"push-routing-tape/1","channels":[{"name":"a"}],"classes":[{"name":"normal","deadline_s":60,"value":1}]})"
      "\n");
  const Study s = study(path, {"godwit"});
  const nlohmann::json j = nlohmann::json::parse(to_json(s));
  EXPECT_TRUE(j["policies"]["godwit"]["p95_s"].is_null()) << "nothing was delivered, so there is no time";
  EXPECT_NE(to_svg(s).find("</svg>"), std::string::npos);
}

TEST_F(Simulation, AMessageLongAfterTheEndOfATapeCostsNoMemory) {
  const std::string path = file(
      "t.tape",
      R"({"format":"push-routing-tape/1","clock":{"measure_h":0.01},"channels":[{"name":"a"}],"classes":[{"name":"normal","deadline_s":60,"value":1}]})"
      "\n"
      R"({"type":"dev","t":0,"d":1,"maker":"x","os":"o","region":"r","tokens":["a"]})"
      "\n"
      R"({"type":"msg","t":1e9,"id":7,"d":1,"cls":"normal","channels":{"a":{"p":1,"works":true,"delay_s":1,"receipt_s":1}}})"
      "\n");
  const Study s = study(path, {"godwit"});
  EXPECT_EQ(s.seeds[0].by_policy.at("godwit").cascade.delivered, 1);
  EXPECT_LT(s.seeds[0].by_policy.at("godwit").cascade.slices.size(), 1000u);
}

TEST_F(Simulation, CurvesOfASmallFleetHaveAScaleAndHoursThatAreTrue) {
  const std::string svg = to_svg(study(small(R"({"clock.warmup_h": 0, "clock.measure_h": 6})"), {"godwit"}));
  EXPECT_EQ(svg.find("nan"), std::string::npos) << "slices of fifty messages and less left the scale without a range";
  EXPECT_NE(svg.find(">1.5 h<"), std::string::npos);
  EXPECT_NE(svg.find(">4.5 h<"), std::string::npos);
}

TEST_F(Simulation, NamesAreUniqueAndNumbersOfThingsWhole) {
  const auto says = [&](const std::string& patch, const std::string& what) {
    EXPECT_NE(complaint(small(patch)).find(what), std::string::npos) << complaint(small(patch));
  };
  says(R"({"fleet.devices": 1.5})", "/fleet/devices: must be a whole number");
  says(R"({"seed": 1.5})", "/seed: must be a whole number");
  says(R"({"classes.normal.name": "critical"})", "/classes/1/name: \"critical\" is there twice");
  says(R"({"fleet.manufacturers.vivo.name": "xiaomi"})", "/fleet/manufacturers/1/name: \"xiaomi\" is there twice");
  says(R"({"channels.third.name": "*"})", "/channels/1/name: must not be empty");
  says(R"({"fleet..devices": 1})", "/patch/fleet..devices: a name is empty");
  says(R"({"events.0": {"type": "quota", "channel": "third", "per_day": 1, "match": {"os": ["old"]}}})",
       "/events/0/match: a limit holds for everybody");
  EXPECT_NE(complaint(dir.string()).find("is a directory"), std::string::npos);
}

TEST_F(Simulation, FleetsOfMoreThan256KindsKeepThemApart) {
  nlohmann::json makers = nlohmann::json::array();
  for (int i = 0; i < 300; ++i) makers.push_back({{"name", "m" + std::to_string(i)}, {"share", i < 299 ? 1e-9 : 1}});
  World world(read_scenario(small(nlohmann::json{{"fleet.manufacturers", makers}}.dump())), 5);
  DeviceChange d;
  Message m;
  ASSERT_EQ(world.next(d, m), Source::Kind::device);
  EXPECT_EQ(d.maker, "m299");
}

TEST_F(Simulation, ALimitOnEveryChannelHoldsForEachOfThem) {
  const Study s = study(small(R"({"events": [{"type": "quota", "channel": "*", "per_day": 0}]})"), {"godwit"});
  EXPECT_EQ(s.seeds[0].by_policy.at("godwit").cascade.delivered, 0);
  const Study clocks = study(small(R"({"events": [{"type": "clock_skew", "skew_s": 30}]})"), {"godwit"});
  EXPECT_GT(clocks.seeds[0].by_policy.at("godwit").cascade.delivered, 0);
}

TEST_F(Simulation, TheOracleIsNotBeatenAndTheRouterBeatsChance) {
  const Study s = study(small(), {"godwit", "random"});
  const auto& by = s.seeds[0].by_policy;
  EXPECT_GE(by.at("oracle").single.delivered, by.at("godwit").single.delivered);
  EXPECT_GT(by.at("godwit").single.delivered, by.at("random").single.delivered);
  EXPECT_GT(by.at("godwit").cascade.delivered, by.at("godwit").single.delivered);
  EXPECT_LE(by.at("godwit").single.sends, by.at("godwit").single.messages);
  EXPECT_EQ(by.at("godwit").single.raw_duplicates, 0);
}

TEST_F(Simulation, TheRouterExpectsAsManyReceiptsAsCome) {
  const Study s =
      study(small(R"({"fleet.devices": 3000, "events": [], "clock.warmup_h": 6, "clock.measure_h": 12})"), {"godwit"});
  double attempts = 0, off = 0;
  for (const CalibrationBin& bin : s.seeds[0].by_policy.at("godwit").cascade.calibration) {
    attempts += bin.attempts;
    off += std::abs(bin.came - bin.expected);
  }
  EXPECT_GT(attempts, 10'000);
  EXPECT_LE(off / attempts, 0.05) << "in `steady` no decile is further off, and this fleet is small";
}

TEST_F(Simulation, ASilentOutageIsLeftAndFoundAgain) {
  const Study s = study(small(R"({"fleet.devices": 3000})"), {"godwit"});
  const Reaction& r = s.seeds[0].by_policy.at("godwit").cascade.reactions.at(0);
  EXPECT_GT(r.share_before, 0.7);
  EXPECT_LE(r.lost, 30);
  EXPECT_GE(r.reacted_s, 0);
  EXPECT_GE(r.restored_s, 0);
}

TEST_F(Simulation, TheJsonHasWhatProgramsAskFor) {
  const nlohmann::json j = nlohmann::json::parse(to_json(study(small(), {"godwit"})));
  for (const char* key : {"delivered", "utility", "oracle_share", "first_send_share", "sends_per_message", "duplicates",
                          "cost", "reactions"})
    EXPECT_TRUE(j.at("policies").at("godwit").contains(key)) << key;
  EXPECT_EQ(j.at("policies").at("oracle").at("oracle_share"), 1.0);
  EXPECT_NE(to_svg(study(small(), {"godwit"})).find("</svg>"), std::string::npos);
}

TEST(Estimated, HasStudentsInterval) {
  const Estimated e = estimated({1, 2, 3, 4, 5});
  EXPECT_DOUBLE_EQ(e.mean, 3);
  EXPECT_NEAR(e.high - e.mean, 2.776 * std::sqrt(2.5 / 5), 0.001);
}

}  // namespace
}  // namespace godwit::sim
