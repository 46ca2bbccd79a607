#include "wire.hpp"

#include <gtest/gtest.h>

namespace mipush_like {
namespace {

TEST(Answer, EachCodeOfTheTableHasItsVerdict) {
  const auto verdict = [](int code) {
    return outcome_of(200, "{\"result\":\"error\",\"code\":" + std::to_string(code) + "}", "").disposition;
  };
  EXPECT_EQ(verdict(10002), uint32_t{GW_RETRY});
  EXPECT_EQ(verdict(200002), uint32_t{GW_THROTTLED});
  EXPECT_EQ(verdict(200001), uint32_t{GW_THROTTLED});
  EXPECT_EQ(verdict(66007), uint32_t{GW_TARGET_INVALID});
  EXPECT_EQ(verdict(21301), uint32_t{GW_CONFIG});
  EXPECT_EQ(verdict(65009), uint32_t{GW_REJECTED});
  EXPECT_EQ(verdict(424242), uint32_t{GW_REJECTED});
}

TEST(Answer, AcceptedCarriesTheVendorsId) {
  const auto o = outcome_of(200, R"({"result":"ok","code":0,"data":{"id":"scm01"}})", "");
  EXPECT_EQ(o.disposition, uint32_t{GW_ACCEPTED});
  EXPECT_EQ(o.vendor_id, "scm01");
}

TEST(Answer, TrafficLightsAndRubbish) {
  EXPECT_EQ(outcome_of(429, "", "7").retry_after_ms, 7000u);
  EXPECT_EQ(outcome_of(429, "", "soon").retry_after_ms, 1000u);
  EXPECT_EQ(outcome_of(503, "", "").disposition, uint32_t{GW_RETRY});
  EXPECT_EQ(outcome_of(200, "<html>", "").disposition, uint32_t{GW_RETRY});
  EXPECT_EQ(outcome_of(200, "[]", "").disposition, uint32_t{GW_RETRY});
}

TEST(Receipts, OneForEachTarget) {
  const auto r = receipts_of(
      "data=%7B%22scm1%22%3A%7B%22param%22%3A%22m%22%2C%22type%22%3A1%2C%22targets%22%3A%22a%2Cb%22%2C%22timestamp%22%"
      "3A5%7D%7D");
  ASSERT_TRUE(r);
  ASSERT_EQ(r->size(), 2u);
  EXPECT_EQ((*r)[1].target, "b");
  EXPECT_EQ((*r)[1].event_id, "scm1/1/b");
  EXPECT_EQ((*r)[1].message_id, "m");
  EXPECT_EQ((*r)[1].timestamp_ms, 5u);
}

TEST(Receipts, RubbishIsRefused) {
  for (const char* body : {"", "x=1", "data=", "data=%7B", "data=%5B%5D", "data=7"})
    EXPECT_FALSE(receipts_of(body)) << body;
  EXPECT_TRUE(receipts_of(R"(data={"id":{"targets":7,"type":"x","timestamp":-3}})"));
}

}  // namespace
}  // namespace mipush_like
