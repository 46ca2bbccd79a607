#include "answer.hpp"

#include <gtest/gtest.h>

namespace xinge {
namespace {

uint32_t disposition(Api api, int64_t code, const Circumstances& now = {}) {
  return outcome_of(read_answer(api, 200, R"({"ret_code":)" + std::to_string(code) + R"(,"err_msg":"no"})", ""), now)
      .disposition;
}
void expect(Api api, uint32_t wanted, std::initializer_list<int64_t> codes, const Circumstances& now = {}) {
  for (const int64_t code : codes) EXPECT_EQ(disposition(api, code, now), wanted) << code;
}

// The three tables, written down a second time.
TEST(Answer, Tpns) {
  expect(Api::tpns, GW_ACCEPTED, {0, 10010018});
  expect(Api::tpns, GW_REJECTED,
         {1008001, 1008002, 1008007, 1008016, 1008015, 1008019, 1008026, 1008027, 10010012, 424242, 1008025});
  expect(Api::tpns, GW_CONFIG,
         {1008003, 1008011, 1008012, 1008013, 1008020, 1008021, 1008022, 1008023, 1008030, 1008031, 1010001, 1008035,
          10030002});
  expect(Api::tpns, GW_RETRY, {1008004});
  expect(Api::tpns, GW_TARGET_INVALID, {1008006, 1008029, 10010005, 10110008});
  expect(Api::tpns, GW_THROTTLED, {1008028});
}

TEST(Answer, V3) {
  expect(Api::v3, GW_ACCEPTED, {0});
  expect(Api::v3, GW_RETRY, {10100, 10101, 10108, 10109, 10111, 10112, 10113, 10114, 10201, 10203, 10204,
                             10206, 10207, 10301, 10401, 10599, 10601, 10605, 10701, 10001, 11001});
  expect(Api::v3, GW_REJECTED, {10102, 10103, 10106, 10107, 10115, 10202, 10205, 10117, 1});
  expect(Api::v3, GW_CONFIG, {10104, 10105, 10606});
  expect(Api::v3, GW_TARGET_INVALID, {10110, 10304, 10305});
  expect(Api::v3, GW_TARGET_INVALID, {10116, 10302, 10303}, {.is_token = false});
}

TEST(Answer, V2) {
  expect(Api::v2, GW_ACCEPTED, {0});
  expect(Api::v2, GW_REJECTED, {-1, -101, 2, 6, 7, 73, 75, 78, 83, 12345});
  expect(Api::v2, GW_CONFIG, {-2, -102, -103, 91, 92, 100, -106});
  expect(Api::v2, GW_RETRY, {-3, -5, 5, -104});
  expect(Api::v2, GW_CONFIG, {-3, -5, 5, -104}, {.attempt = 3});
  expect(Api::v2, GW_TARGET_INVALID, {48}, {.is_token = false});
  expect(Api::v2, GW_REJECTED, {48}, {.is_token = true});
}

TEST(Answer, ADeadTokenCodeDoesNotKillAnAccount) {
  EXPECT_EQ(disposition(Api::tpns, 10010005, {.is_token = false}), uint32_t{GW_REJECTED});
}

TEST(Answer, AcceptedCarriesThePushIdAndTheSkippedTokens) {
  const auto a = read_answer(
      Api::tpns, 200,
      R"({"seq":0,"push_id":"900000002","ret_code":0,"invalid_targe_list":["04ff"],"err_msg":"","result":""})", "");
  EXPECT_EQ(outcome_of(a, {}).vendor_id, "900000002");
  EXPECT_EQ(a.invalid, std::vector<std::string>{"04ff"});
  const auto b = read_answer(Api::tpns, 200, R"({"push_id":"900000001","ret_code":0,"result":"[0]"})", "");
  EXPECT_EQ(b.each, std::vector<int64_t>{0});
  const auto c = read_answer(Api::v2, 200, R"({"ret_code":0,"result":{"push_id":"77"}})", "");
  EXPECT_EQ(c.push_id, "77");
}

TEST(Answer, HttpStatesAndRubbish) {
  const auto outcome = [](uint32_t status, std::string_view body, std::string_view retry_after = "") {
    return outcome_of(read_answer(Api::tpns, status, body, retry_after), {});
  };
  EXPECT_EQ(outcome(429, "", "7").retry_after_ms, 7000u);
  EXPECT_EQ(outcome(401, "").disposition, uint32_t{GW_CONFIG});
  for (const char* body : {"", "<html>", "[]", "{}", R"({"ret_code":"x"})", "null", R"({"ret_code":{}})"})
    EXPECT_EQ(outcome(200, body).disposition, uint32_t{GW_RETRY}) << body;
  EXPECT_EQ(outcome(200, R"({"ret_code":0,"result":{},"invalid_targe_list":[7,null]})").disposition,
            uint32_t{GW_ACCEPTED});
}

}  // namespace
}  // namespace xinge
