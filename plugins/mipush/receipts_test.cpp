#include "receipts.hpp"

#include <gtest/gtest.h>

#include "form.hpp"

namespace mipush {
namespace {

std::string callback(std::string_view data) {
  std::string body;
  append_field(body, "data", data);
  return body;
}

TEST(Receipts, OneForEachTarget) {
  const auto r =
      receipts_of(callback(R"({"scm1":{"param":"m","type":1,"targets":"a,b","barStatus":"Enable","timestamp":5}})"));
  ASSERT_TRUE(r);
  ASSERT_EQ(r->size(), 2u);
  EXPECT_EQ((*r)[0].target, "a");
  EXPECT_EQ((*r)[1].target, "b");
  EXPECT_EQ((*r)[1].event_id(), "scm1/1/b");
  EXPECT_EQ((*r)[1].message_id, "m");
  EXPECT_EQ((*r)[1].timestamp_ms, 5u);
}

TEST(Receipts, ARegidMayBeReplaced) {
  const auto r = receipts_of(
      callback(R"({"scm1":{"type":16,"targets":"old","errorCode":1,"replaceTarget":{"old":"new","other":"newer"}}})"));
  ASSERT_TRUE(r);
  ASSERT_EQ(r->size(), 2u);
  EXPECT_EQ((*r)[0].target, "old");
  EXPECT_EQ((*r)[0].replaced_by, "new");
  EXPECT_EQ((*r)[1].target, "other");
  EXPECT_EQ((*r)[1].replaced_by, "newer");
}

TEST(Receipts, TheAppsQuotaNeedsNoTarget) {
  const auto r = receipts_of(callback(R"({"scm1":{"type":128,"targets":"","extra":{"ack":"10","quota":10}}})"));
  ASSERT_TRUE(r);
  ASSERT_EQ(r->size(), 1u);
  EXPECT_EQ((*r)[0].quota, 10);
  EXPECT_EQ((*r)[0].acked, 10);
}

TEST(Receipts, RubbishIsRefused) {
  for (const char* body : {"", "x=1", "data", "data=", "data=%7B", "data=%5B%5D", "data=7", "data=%ZZ"})
    EXPECT_FALSE(receipts_of(body)) << body;
}

TEST(Receipts, MembersThatMakeNoSenseAreLeftOut) {
  const auto r = receipts_of(callback(
      R"({"a":7,"b":{"targets":7,"type":1},"c":{"targets":"x","type":"y"},"d":{"targets":",,x,","type":2,"timestamp":-3},"":{"type":1,"targets":"x"}})"));
  ASSERT_TRUE(r);
  ASSERT_EQ(r->size(), 1u);
  EXPECT_EQ((*r)[0].vendor_id, "d");
  EXPECT_EQ((*r)[0].timestamp_ms, 0u);
}

TEST(Form, BothWays) {
  std::string out;
  append_field(out, "a", "1");
  append_field(out, "data", "{\"x\": \"ä+&=%\"}");
  EXPECT_EQ(field_of(out, "data"), "{\"x\": \"ä+&=%\"}");
  EXPECT_EQ(field_of("a=1&b=%41%4", "b"), "A%4");
  EXPECT_EQ(field_of("a=1", "b"), std::nullopt);
}

}  // namespace
}  // namespace mipush
