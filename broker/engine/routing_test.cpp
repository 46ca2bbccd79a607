// What the engine keeps of the router: its decisions for replay, and what it learned over a restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::vector<nlohmann::json> logged(const EngineRig& rig) {
  std::vector<nlohmann::json> out;
  std::stringstream in(rig.decisions);
  for (std::string line; std::getline(in, line);) out.push_back(nlohmann::json::parse(line));
  return out;
}

EngineOptions logging_all() {
  EngineOptions o;
  o.decision_log_share = 1;
  return o;
}

TEST(DecisionLog, TellsTheChoiceItsChanceAndWhatCameOfIt) {
  EngineRig rig(logging_all());
  rig.channels.add("a", EngineRig::vendor_caps());
  rig.channels.add("b", EngineRig::vendor_caps());
  rig.boot();
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("a", Disposition::accepted);
  rig.answer("b", Disposition::accepted);
  const MessageId id = rig.send(EngineRig::draft("u"));
  const std::string first = rig.sent_over()[0];
  rig.pass(500);
  EXPECT_THAT(rig.decisions, IsEmpty());  // what came of it is not known yet
  rig.receipt(first, rig.vendor_id_of(0));
  rig.pass(2000);
  const auto lines = logged(rig);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["format"], "godwit-decision/1");
  EXPECT_EQ(lines[0]["message_id"], id.text());
  EXPECT_EQ(lines[0]["chosen"], first);
  EXPECT_EQ(lines[0]["outcome"], "arrived");
  EXPECT_EQ(lines[0]["propensity"], 1.0);
  EXPECT_EQ(lines[0]["candidates"].size(), 2u);
}

TEST(Why, ADearChannelThatLostIsNotSaidToHaveHadTheWorseChance) {
  EngineOptions o;
  ChannelOptions dear, cheap;
  dear.name = "dear", dear.prior = 0.9, dear.cost = 5;
  cheap.name = "cheap", cheap.prior = 0.5;
  o.channels = {dear, cheap};
  EngineRig rig(o);
  rig.channels.add("dear", EngineRig::vendor_caps());
  rig.channels.add("cheap", EngineRig::vendor_caps());
  rig.boot();
  rig.add_device("d", "u", {"dear", "cheap"});
  const MessageId id = rig.send(EngineRig::draft("u"));
  const AttemptView attempt = rig.delivery(id).attempts.at(0);
  EXPECT_EQ(attempt.channel, "cheap");
  EXPECT_THAT(attempt.why, HasSubstr("cheap: best value, a send's cost taken off (0.50); dear 0.90"));
}

TEST(Why, WhatWasAskedForIsNotSaidToBeTheRoutersChoice) {
  EngineRig rig;
  rig.channels.add("a", EngineRig::vendor_caps());
  rig.channels.add("b", EngineRig::vendor_caps());
  rig.boot();
  rig.add_device("d", "u", {"a", "b"});
  for (const RoutingMode mode : {RoutingMode::ordered, RoutingMode::all}) {
    MessageDraft m = EngineRig::draft("u");
    m.message.routing = mode;
    m.message.channels = {"b", "a"};
    EXPECT_THAT(rig.delivery(rig.send(m)).attempts.at(0).why, HasSubstr("asked for (routing ordered or all)"));
  }
}

TEST(DecisionLog, AFirstSendThatLostToTheNextChannelWasSilent) {
  EngineRig rig(logging_all());
  rig.channels.add("a", EngineRig::vendor_caps());
  rig.channels.add("b", EngineRig::vendor_caps());
  rig.boot();
  rig.add_device("d", "u", {"a", "b"});
  rig.answer("a", Disposition::accepted);
  rig.answer("b", Disposition::accepted);
  MessageDraft m = EngineRig::draft("u");
  m.message.priority = Priority::critical;
  rig.send(m);
  rig.pass(200'000);
  ASSERT_EQ(rig.channels.sent.size(), 2u);
  rig.receipt(rig.sent_over()[1], rig.vendor_id_of(1));
  rig.pass(2000);
  const auto lines = logged(rig);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["chosen"], rig.sent_over()[0]);
  EXPECT_EQ(lines[0]["outcome"], "silent");
}

TEST(DecisionLog, OfNothingIsWrittenWhenNobodyWantsIt) {
  EngineRig rig;
  rig.channels.add("a", EngineRig::vendor_caps());
  rig.boot();
  rig.add_device("d", "u", {"a"});
  rig.answer("a", Disposition::accepted);
  rig.send(EngineRig::draft("u"));
  rig.receipt("a", rig.vendor_id_of(0));
  rig.pass(5000);
  EXPECT_THAT(rig.decisions, IsEmpty());
}

TEST(ChannelTroubles, ASilentOutageIsToldWithThePhonesThatItConcerns) {
  EngineRig rig;
  rig.channels.add("a", EngineRig::vendor_caps());
  rig.boot();
  rig.answer("a", Disposition::accepted);
  const auto troubles = [&] {
    const auto channels =
        rig.ask<std::vector<ChannelView>>([&](auto done) { rig.engine->list_channels(std::move(done)); });
    return (*channels)[0].troubles;
  };
  for (int d = 0; d < 300; ++d) {
    const std::string n = std::to_string(d);
    rig.add_device("d" + n, "u" + n, {"a"});
    rig.send(EngineRig::draft("u" + n));
    if (d < 200) rig.receipt("a", rig.vendor_id_of(static_cast<size_t>(d)));
    if (d == 199) {
      EXPECT_THAT(troubles(), IsEmpty());
    }
    rig.pass(2'000);
  }
  rig.pass(900'000);
  const auto noticed = troubles();
  ASSERT_FALSE(noticed.empty());
  EXPECT_EQ(noticed[0].kind, "delivers_less");
  EXPECT_LT(noticed[0].health, 0.7);
  EXPECT_GT(noticed[0].since_ms, 0);
  EXPECT_LE(noticed[0].since_ms, rig.clock.wall_ms());
}

// Forty devices, two channels of which one fails for some; audited sends, so that the router's dice count too.
std::string decisions_of_a_day(bool with_restart) {
  EngineOptions o = logging_all();
  o.router.seed = 4;
  EngineRig rig(o);
  rig.options.router.exploration = {0, 0.01, 0.02, 0.02};
  rig.options.router.audit_share = 0.1;
  rig.channels.add("a", EngineRig::vendor_caps());
  rig.channels.add("b", EngineRig::vendor_caps());
  rig.boot();
  for (int d = 0; d < 40; ++d) rig.add_device("d" + std::to_string(d), "u" + std::to_string(d), {"a", "b"});
  std::string out;
  for (int round = 0; round < 30; ++round) {
    if (round == 15) rig.pass(700'000);  // all settled: attempts on their way are not the router's to keep
    if (round == 15 && with_restart) rig.restart();
    rig.answer("a", Disposition::accepted);
    rig.answer("b", Disposition::accepted);
    for (int d = 0; d < 40; ++d) {
      const size_t before = rig.channels.sent.size();
      rig.send(EngineRig::draft("u" + std::to_string(d)));
      EXPECT_EQ(rig.channels.sent.size(), before + 1);
      const std::string channel = rig.sent_over().back();
      out += channel;
      if (channel == "b" ? d % 3 != 0 : d % 4 == 0) rig.receipt(channel, rig.vendor_id_of(before));
    }
    out += ' ';
    rig.pass(60'000);
  }
  return out;
}

TEST(RouterState, ARestartInTheMiddleChangesNoLaterDecision) {
  const std::string whole = decisions_of_a_day(false);
  EXPECT_THAT(whole, HasSubstr("ab"));
  EXPECT_EQ(decisions_of_a_day(true), whole);
}

}  // namespace
}  // namespace godwit
