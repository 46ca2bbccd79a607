#include "broker/engine/seen_events.hpp"

#include <gtest/gtest.h>

#include <string>

namespace godwit::engine {
namespace {

TEST(SeenEvents, AnEventThatIsToldTwiceIsNewOnce) {
  SeenEvents seen;
  EXPECT_TRUE(seen.is_new(0, "e1"));
  EXPECT_FALSE(seen.is_new(0, "e1"));
  EXPECT_TRUE(seen.is_new(0, "e2"));
}

TEST(SeenEvents, ChannelsMayUseTheSameIds) {
  SeenEvents seen;
  EXPECT_TRUE(seen.is_new(0, "e1"));
  EXPECT_TRUE(seen.is_new(1, "e1"));
}

TEST(SeenEvents, KnowsTheLastGenerationAtLeastAndForgetsWhatIsOlderThanTwo) {
  SeenEvents seen(100);
  for (int i = 0; i < 250; ++i) EXPECT_TRUE(seen.is_new(3, std::to_string(i)));
  for (int i = 150; i < 250; ++i) EXPECT_FALSE(seen.is_new(3, std::to_string(i))) << i;
  EXPECT_TRUE(seen.is_new(3, "0"));
}

}  // namespace
}  // namespace godwit::engine
