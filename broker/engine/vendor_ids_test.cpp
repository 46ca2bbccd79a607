#include "broker/engine/vendor_ids.hpp"

#include <gtest/gtest.h>

namespace godwit::engine {
namespace {

class VendorIdsTest : public testing::Test {
 protected:
  AttemptIx attempt(ChannelNo channel, std::string_view vendor_id) {
    const AttemptIx aix = attempts.add();
    auto words = boost::intrusive_ptr<VendorWords>(new VendorWords);
    words->id = vendor_id;
    attempts[aix].channel = channel;
    attempts[aix].words = std::move(words);
    return aix;
  }
  Slab<Attempt> attempts;
  VendorIds ids{attempts};
};

TEST_F(VendorIdsTest, FindsTheAttemptThatAVendorNamed) {
  const AttemptIx one = attempt(0, "m-1"), two = attempt(0, "m-2");
  ids.remember(one);
  ids.remember(two);
  EXPECT_EQ(ids.find(0, "m-1"), one);
  EXPECT_EQ(ids.find(0, "m-2"), two);
  EXPECT_EQ(ids.find(0, "m-3"), kNone);
}

TEST_F(VendorIdsTest, TwoVendorsMayUseTheSameId) {
  const AttemptIx one = attempt(0, "7"), two = attempt(1, "7");
  ids.remember(one);
  ids.remember(two);
  EXPECT_EQ(ids.find(0, "7"), one);
  EXPECT_EQ(ids.find(1, "7"), two);
}

TEST_F(VendorIdsTest, OfOneIdTheNewestAttemptIsFoundAndForgettingTheOlderKeepsIt) {
  const AttemptIx older = attempt(0, "same call"), newer = attempt(0, "same call");
  ids.remember(older);
  ids.remember(newer);
  ids.forget(older);
  EXPECT_EQ(ids.find(0, "same call"), newer);
  ids.forget(newer);
  EXPECT_EQ(ids.find(0, "same call"), kNone);
  EXPECT_EQ(ids.size(), 0u);
}

TEST_F(VendorIdsTest, ANumberThatBelongsToAnotherAttemptByNowIsNotFound) {
  const AttemptIx gone = attempt(0, "m-1");
  ids.remember(gone);
  attempts.remove(gone);
  EXPECT_EQ(ids.find(0, "m-1"), kNone);
  ASSERT_EQ(attempt(0, "m-9"), gone) << "its number is used again";
  EXPECT_EQ(ids.find(0, "m-1"), kNone);
}

TEST_F(VendorIdsTest, AnAttemptWithoutAnIdNeedsNoForgetting) {
  ids.forget(attempts.add());
  EXPECT_EQ(ids.size(), 0u);
}

}  // namespace
}  // namespace godwit::engine
