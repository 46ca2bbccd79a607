#include "broker/engine/presence_book.hpp"

#include <gtest/gtest.h>

namespace godwit::engine {
namespace {

using Said = PresenceBook::Said;

TEST(PresenceBook, KnowsNothingOfWhoWasNeverSpokenOf) {
  PresenceBook book;
  EXPECT_EQ(book.said(7), Said::nothing);
  book.hear(9, 1, true, 100);
  EXPECT_EQ(book.said(7), Said::nothing);
  EXPECT_EQ(book.said(1'000'000), Said::nothing);
}

TEST(PresenceBook, FollowsTheNewestEventOfEachDevice) {
  PresenceBook book;
  EXPECT_TRUE(book.hear(3, 10, true, 100));
  EXPECT_TRUE(book.hear(4, 5, true, 100));
  EXPECT_EQ(book.online(), 2u);
  EXPECT_FALSE(book.hear(3, 9, false, 200)) << "an end of the connection before";
  EXPECT_EQ(book.said(3), Said::online);
  EXPECT_TRUE(book.hear(3, 11, false, 300));
  EXPECT_EQ(book.said(3), Said::offline);
  EXPECT_EQ(book.online(), 1u);
  EXPECT_TRUE(book.hear(4, 6, true, 300)) << "there already: another connection took over";
  EXPECT_EQ(book.online(), 1u);
}

TEST(PresenceBook, ASendThatMissedADeviceSaysThatItIsGone) {
  PresenceBook book;
  book.hear(1, 1, true, 1'000);
  book.missed(1, 2'000, 2'500);
  EXPECT_EQ(book.said(1), Said::offline);
  EXPECT_EQ(book.online(), 0u);
  EXPECT_TRUE(book.hear(1, 1, false, 3'000)) << "the channel's own word comes after it";
  book.missed(2, 2'000, 2'500);
  EXPECT_EQ(book.said(2), Said::offline) << "and of one whom nobody had spoken of";
}

TEST(PresenceBook, ASendThatBeganBeforeTheDeviceCameSaysNothing) {
  PresenceBook book;
  book.hear(1, 1, true, 3'000);
  book.missed(1, 2'000, 3'500);
  EXPECT_EQ(book.said(1), Said::online);
}

TEST(PresenceBook, KnowsSinceWhenWhoConfirmsHasBeenAway) {
  PresenceBook book;
  book.hear(1, 1, true, 800);
  book.confirmed(1);
  book.confirmed(7);  // before anybody has spoken of it
  book.confirmed(kNoDevice);
  EXPECT_EQ(book.away_since(1), 0);
  book.hear(1, 2, false, 1'600);
  book.hear(2, 1, false, 1'600);
  EXPECT_EQ(book.away_since(1), 1'600);
  EXPECT_EQ(book.away_since(2), 0) << "its silence says nothing";
  book.hear(1, 3, true, 2'400);
  EXPECT_EQ(book.away_since(1), 0);
  EXPECT_EQ(book.away_since(7), 0);
  EXPECT_TRUE(book.hear(7, 1, false, 3'200));
  EXPECT_EQ(book.away_since(7), 3'200);
}

TEST(PresenceBook, ForgetsOneOrAll) {
  PresenceBook book;
  book.hear(1, 8, true, 100);
  book.hear(2, 8, true, 100);
  book.forget(1);
  book.forget(50);
  EXPECT_EQ(book.said(1), Said::nothing);
  EXPECT_EQ(book.online(), 1u);
  EXPECT_TRUE(book.hear(1, 3, true, 200)) << "numbers begin anew";
  book.forget_all();
  EXPECT_EQ(book.said(2), Said::nothing);
  EXPECT_EQ(book.online(), 0u);
}

}  // namespace
}  // namespace godwit::engine
