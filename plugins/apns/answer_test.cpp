// Apple's table of reasons (apns.md §5, §9) against the verdicts.
#include "answer.hpp"

#include <gtest/gtest.h>

namespace apns {
namespace {

std::string reason(const char* word) {
  return std::string(R"({"reason":")") + word + R"("})";
}

TEST(Answer, TellsSinceWhenATokenIsDead) {
  const Answer a = read_answer(410, R"({"reason":"Unregistered","timestamp":1759990000123})");
  EXPECT_EQ(a.verdict, Verdict::drop_token);
  EXPECT_EQ(a.reason, "Unregistered");
  EXPECT_EQ(a.since_ms, 1759990000123u);
  EXPECT_EQ(read_answer(400, R"({"reason":"BadDeviceToken","timestamp":5})").since_ms, 0u) << "only 410 has one";
}

TEST(Answer, GoesByTheStatusWhenTheReasonIsNewOrMissing) {
  EXPECT_EQ(read_answer(400, reason("SomethingNew")).verdict, Verdict::fail);
  EXPECT_EQ(read_answer(400, reason("SomethingNew")).reason, "SomethingNew");
  EXPECT_EQ(read_answer(503, reason("SomethingNew")).verdict, Verdict::retry);
  EXPECT_EQ(read_answer(500, "").verdict, Verdict::retry);
  EXPECT_EQ(read_answer(500, "").reason, "http_500");
  EXPECT_EQ(read_answer(410, "<html>").verdict, Verdict::drop_token);
  EXPECT_EQ(read_answer(301, "").verdict, Verdict::retry);
  EXPECT_EQ(read_answer(200, "").verdict, Verdict::accepted);
}

TEST(Answer, TakesAnyBytesFromOutside) {
  for (const char* body : {"[]", "null", "{\"reason\":5}", "{\"reason\":\"\"}",
                           "{\"reason\":\"x\",\"timestamp\":\"y\"}", "{\"reason\":\"x\",\"timestamp\":-1}", "\xff\xfe"})
    read_answer(410, body);
  EXPECT_EQ(read_answer(400, reason(std::string(1000, 'x').c_str())).reason, "http_400") << "a word, not a novel";
}

TEST(Answer, AdvisesTheOperatorForEveryReasonThatNeedsOne) {
  for (const char* word : {"InvalidProviderToken", "BadCertificate", "BadCertificateEnvironment",
                           "MissingProviderToken", "BadEnvironmentKeyIdInToken", "BadEnvironmentKeyInToken", "BadTopic",
                           "TopicDisallowed", "MissingTopic", "FeatureNotEnabled", "TopicMismatch",
                           "ExpiredProviderToken", "Forbidden", "BadDeviceToken", "DeviceTokenNotForTopic"})
    EXPECT_FALSE(remedy(word).empty()) << word;
}

}  // namespace
}  // namespace apns
