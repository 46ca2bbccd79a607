#include "broker/app/vendor_priors.hpp"

#include <gtest/gtest.h>

namespace godwit {
namespace {

TEST(VendorPriors, AMakersChannelIsBelievedInOnItsPhones) {
  const Priors mi = with_vendor_priors("mipush", {});
  EXPECT_GT(mi.manufacturers.at("xiaomi"), 0.8);
  EXPECT_GT(mi.manufacturers.at("redmi"), 0.8);
  EXPECT_FALSE(mi.manufacturers.contains("huawei"));
  EXPECT_LT(mi.prior, 0.5);
}

TEST(VendorPriors, TheOperatorsWordComesFirst) {
  const Priors mi = with_vendor_priors("mipush", {.prior = 0.6, .manufacturers = {{"xiaomi", 0.4}, {"nokia", 0.7}}});
  EXPECT_EQ(mi.prior, 0.6);
  EXPECT_EQ(mi.manufacturers.at("xiaomi"), 0.4);
  EXPECT_EQ(mi.manufacturers.at("nokia"), 0.7);
  EXPECT_GT(mi.manufacturers.at("poco"), 0.8);
}

TEST(VendorPriors, ChannelsForEveryPhoneAreLeftAlone) {
  for (const char* plugin : {"xinge", "selfconn", "fcm", "loopback", "com.example.sms"}) {
    const Priors p = with_vendor_priors(plugin, {.prior = 0.5, .manufacturers = {}});
    EXPECT_EQ(p.prior, 0.5) << plugin;
    EXPECT_TRUE(p.manufacturers.empty()) << plugin;
  }
  EXPECT_EQ(with_vendor_priors("apns", {}).prior, 0);
}

}  // namespace
}  // namespace godwit
