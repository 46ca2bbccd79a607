#include "answer.hpp"

#include <gtest/gtest.h>

#include "china_day.hpp"

namespace mipush {
namespace {

constexpr uint64_t kUntilMidnight = 5'000'000;

uint32_t disposition(int code, const Circumstances& now = {.until_midnight_ms = kUntilMidnight}) {
  const auto answer = read_answer(200, R"({"result":"error","code":)" + std::to_string(code) + "}", "");
  return outcome_of(answer, now).disposition;
}

// The table of errors as the documents have it, written down a second time.
TEST(Answer, EachCodeOfTheTableHasItsVerdict) {
  const auto expect = [](uint32_t wanted, std::initializer_list<int> codes) {
    for (const int code : codes) EXPECT_EQ(disposition(code), wanted) << code;
  };
  expect(GW_RETRY, {-1, 1, 10001, 10002, 10003, 20301, 20607, 22102, 26003, 65029, 65030});
  expect(GW_REJECTED, {10008, 10012, 10016, 10017, 21305, 65011, 10041, 20209, 65010, 65013, 65035, 20315, 65008, 65012,
                       65016, 65017, 65028, 26006});
  expect(GW_REJECTED, {65009, 65014, 65015});  // size
  expect(GW_THROTTLED, {10027, 10034, 26004, 26005, 65006, 200001, 200002});
  expect(GW_TARGET_INVALID, {10029, 66007});
  expect(GW_CONFIG,
         {10031, 10033, 10036, 10038, 21301, 21302, 21303, 22000, 22006, 22007, 22022, 27001, 65036, 65037, 65038});
  expect(GW_UNREACHABLE, {65003});
  expect(GW_RETRY, {10030, 10032, 10035, 10039});      // limits of pollers: no message is to blame
  expect(GW_REJECTED, {424242, 65040, 66006, 65041});  // unknown to a server: over, and the token stays
}

TEST(Answer, HowLongToWaitDependsOnTheLimit) {
  const auto wait = [](int code) {
    const auto answer = read_answer(200, R"({"code":)" + std::to_string(code) + "}", "");
    return outcome_of(answer, {.until_midnight_ms = kUntilMidnight}).retry_after_ms;
  };
  EXPECT_EQ(wait(200002), 1'000u);
  EXPECT_GE(wait(26004), 60'000u);
  EXPECT_EQ(wait(10034), kUntilMidnight);
  EXPECT_EQ(wait(200001), kUntilMidnight);
}

TEST(Answer, AUsedUpClassDoesNotStopTheOthers) {
  EXPECT_EQ(disposition(200001, {.other_classes_remain = true}), uint32_t{GW_UNREACHABLE});
}

TEST(Answer, SomeFailuresAreTriedOnceMoreOnly) {
  for (const int code : {10037, 20215, 20216}) {
    EXPECT_EQ(disposition(code, {.attempt = 1}), uint32_t{GW_RETRY}) << code;
    EXPECT_EQ(disposition(code, {.attempt = 2}), uint32_t{GW_REJECTED}) << code;
  }
}

TEST(Answer, ABlackListedAliasIsForgottenARegidIsNot) {
  EXPECT_EQ(disposition(65007, {.is_alias = true}), uint32_t{GW_TARGET_INVALID});
  EXPECT_EQ(disposition(65007, {.is_alias = false}), uint32_t{GW_REJECTED});
}

TEST(Answer, AcceptedCarriesTheVendorsIdTheQuotaAndTheRefusedRegids) {
  const auto a = read_answer(
      200,
      R"({"result":"ok","code":0,"data":{"id":"scm01","day_quota":"2000000","day_acked":1531,"badRegIds":["x","y"]}})",
      "");
  EXPECT_EQ(outcome_of(a, {}).disposition, uint32_t{GW_ACCEPTED});
  EXPECT_EQ(outcome_of(a, {}).vendor_id, "scm01");
  ASSERT_TRUE(a.quota);
  EXPECT_EQ(a.quota->quota, 2'000'000);
  EXPECT_EQ(a.quota->acked, 1531);
  EXPECT_EQ(a.bad_regids, (std::vector<std::string>{"x", "y"}));
}

TEST(Answer, TheQuotaIsReadFromTheRefusalsText) {
  const auto a = read_answer(
      200, R"({"result":"error","code":200001,"reason":"exceed quota, quota: 2000, have acked: 2000"})", "");
  ASSERT_TRUE(a.quota);
  EXPECT_EQ(a.quota->quota, 2000);
}

TEST(Answer, AnErrorThatCallsItselfZeroWasNotAccepted) {
  EXPECT_EQ(read_answer(200, R"({"result":"error","code":0})", "").verdict, Verdict::fail);
}

TEST(Answer, HttpStatesAndRubbish) {
  const auto outcome = [](uint32_t status, std::string_view body, std::string_view retry_after = "") {
    return outcome_of(read_answer(status, body, retry_after), {});
  };
  EXPECT_EQ(outcome(429, "", "7").retry_after_ms, 7000u);
  EXPECT_EQ(outcome(429, "", "soon").retry_after_ms, 1000u);
  EXPECT_EQ(outcome(429, "", "999999999").retry_after_ms, 86'400'000u);
  EXPECT_EQ(outcome(503, "", "3").disposition, uint32_t{GW_THROTTLED});
  EXPECT_EQ(outcome(401, "").disposition, uint32_t{GW_CONFIG});
  EXPECT_EQ(outcome(413, "").disposition, uint32_t{GW_REJECTED});
  for (const char* body : {"", "<html>", "[]", "{}", R"({"code":"x"})", "null"})
    EXPECT_EQ(outcome(200, body).disposition, uint32_t{GW_RETRY}) << body;
  EXPECT_EQ(outcome(502, R"({"code":0})").vendor_code, "http_502");
}

TEST(ChinaDay, EndsAtSixteenHoursUtc) {
  constexpr uint64_t kNov21 = 1'795'219'200'000;  // 2026-11-21T00:00:00Z
  EXPECT_EQ(next_midnight_ms(kNov21), kNov21 + 16 * 3'600'000);
  EXPECT_EQ(next_midnight_ms(kNov21 + 16 * 3'600'000), kNov21 + 40 * 3'600'000);
  EXPECT_EQ(china_day(kNov21 + 16 * 3'600'000), china_day(kNov21) + 1);
}

}  // namespace
}  // namespace mipush
