#include "plugins/xmpp/push/verdict.hpp"

#include <gtest/gtest.h>

namespace xmpp {
namespace {

TEST(Verdict, FollowsTheTable) {
  const std::vector<std::pair<const char*, uint32_t>> table = {
      {"service-unavailable", GW_UNREACHABLE},  {"recipient-unavailable", GW_UNREACHABLE},
      {"item-not-found", GW_TARGET_INVALID},    {"gone", GW_TARGET_INVALID},
      {"jid-malformed", GW_TARGET_INVALID},     {"subscription-required", GW_TARGET_INVALID},
      {"feature-not-implemented", GW_REJECTED}, {"not-allowed", GW_REJECTED},
      {"remote-server-not-found", GW_REJECTED}, {"remote-server-timeout", GW_RETRY},
      {"resource-constraint", GW_UNREACHABLE},  {"policy-violation", GW_THROTTLED},
      {"not-acceptable", GW_REJECTED},          {"bad-request", GW_REJECTED},
  };
  for (const auto& [condition, disposition] : table) {
    const auto outcome = outcome_of({"cancel", condition, "why"});
    EXPECT_EQ(outcome.disposition, disposition) << condition;
    EXPECT_EQ(outcome.vendor_code, condition);
    EXPECT_EQ(outcome.detail, "why");
  }
}

TEST(Verdict, WhatIsNotInTheTableIsReadByItsType) {
  EXPECT_EQ(outcome_of({"wait", "made-up", ""}).disposition, GW_RETRY);
  EXPECT_EQ(outcome_of({"modify", "made-up", ""}).disposition, GW_REJECTED);
}

TEST(Verdict, AServersNovelIsCut) {
  const auto outcome = outcome_of({"cancel", std::string(10'000, 'c'), std::string(10'000, 't')});
  EXPECT_LE(outcome.vendor_code.size(), 64u);
  EXPECT_LE(outcome.detail.size(), 200u);
}

}  // namespace
}  // namespace xmpp
