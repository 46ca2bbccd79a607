#include "statistics.hpp"

#include <gtest/gtest.h>

namespace xinge {
namespace {

TEST(Figures, ByChannelInEitherShape) {
  const auto list = figures_of(
      R"({"retCode":0,"stat":[{"channel":"all","pushActiveUv":12,"pushOnlineUv":10,"arrivalUv":7,"clickUv":1},{"channel":"xm","pushOnlineUv":6,"arrivalUv":5,"clickUv":1},{"channel":"xg","pushOnlineUv":4,"arrivalUv":2}]})");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list.at("xm").sent, 6);
  EXPECT_EQ(list.at("xm").arrived, 5);
  EXPECT_EQ(list.at("xg").arrived, 2);
  const auto keyed = figures_of(R"({"retCode":0,"result":{"hw":{"pushOnlineUv":6,"arrivalUv":5,"clickUv":0}}})");
  EXPECT_EQ(keyed.at("hw").sent, 6);
  const auto flat = figures_of(R"({"retCode":0,"pushOnlineUv":6,"arrivalUv":5})");
  EXPECT_EQ(flat.at("all").arrived, 5);
}

TEST(Figures, RubbishIsNothing) {
  for (const char* body : {"", "[]", "{}", R"({"retCode":1008028,"arrivalUv":5})",
                           R"({"a":{"b":{"c":{"d":{"e":{"f":{"arrivalUv":1}}}}}}})"})
    EXPECT_TRUE(figures_of(body).empty()) << body;
  EXPECT_EQ(figures_of(R"({"retCode":0,"xm":{"arrivalUv":"many","pushOnlineUv":-5}})").at("xm").arrived, 0);
}

TEST(Figures, ChannelsAreMakers) {
  EXPECT_EQ(manufacturer_of("xm"), "xiaomi");
  EXPECT_EQ(manufacturer_of("apns"), "apple");
  EXPECT_EQ(manufacturer_of("xg"), "");
}

}  // namespace
}  // namespace xinge
