#include "broker/engine/vendor_words.hpp"

#include <gtest/gtest.h>

namespace godwit::engine {
namespace {

TEST(LastWords, OneAnswerToManyTargetsIsKeptOnce) {
  LastWords words;
  const auto first = words.keep("call 1", "ok", "fine", 200);
  EXPECT_EQ(words.keep("call 1", "ok", "fine", 200), first);
  EXPECT_EQ(first->id, "call 1");
  EXPECT_EQ(first->http_status, 200);
}

TEST(LastWords, AnotherWordIsAnotherAnswer) {
  LastWords words;
  const auto first = words.keep("call 1", "ok", "fine", 200);
  EXPECT_NE(words.keep("call 2", "ok", "fine", 200), first);
  EXPECT_NE(words.keep("call 1", "ok", "fine", 202), first);
  EXPECT_EQ(first->id, "call 1") << "what was said once stays said";
}

TEST(LastWords, LongAnswersAreCutAndStillKeptOnce) {
  LastWords words;
  const std::string detail(5'000, 'x');
  const auto first = words.keep({}, {}, detail, 0);
  EXPECT_EQ(first->detail.size(), VendorWords::kMost);
  EXPECT_EQ(words.keep({}, {}, detail, 0), first);
}

TEST(LastWords, AVendorThatSaidNothingTakesNoPlace) {
  LastWords words;
  EXPECT_EQ(words.keep({}, {}, {}, 0), nullptr);
}

}  // namespace
}  // namespace godwit::engine
