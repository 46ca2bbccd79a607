#include "plugins/xmpp/push/presence_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xmpp {
namespace {

using State = PresenceBook::State;
using testing::ElementsAre;
using testing::IsEmpty;

Jid jid(const char* text) {
  return *Jid::parse(text);
}
std::vector<std::string> words(const std::vector<PresenceBook::Change>& changes) {
  std::vector<std::string> out;
  for (const auto& c : changes) out.push_back((c.is_online ? "+" : "-") + c.address);
  return out;
}

TEST(PresenceBook, WhoWasNeverSpokenOfIsUnknown) {
  PresenceBook book("example.org");
  EXPECT_EQ(book.of(jid("bob@example.org")), State::unknown);
  book.available(jid("bob@example.org/phone"));
  EXPECT_EQ(book.of(jid("bob@example.org")), State::online);
  EXPECT_EQ(book.of(jid("bob@example.org/phone")), State::online);
  EXPECT_EQ(book.of(jid("bob@example.org/other")), State::offline);
  book.unavailable(jid("bob@example.org/phone"));
  EXPECT_EQ(book.of(jid("bob@example.org")), State::offline);
}

TEST(PresenceBook, ReportsEveryFormOfTheAddress) {
  PresenceBook book("example.org");
  EXPECT_THAT(words(book.available(jid("bob@example.org/a"))),
              ElementsAre("+bob@example.org/a", "+bob@example.org", "+bob"));
  EXPECT_THAT(words(book.available(jid("bob@example.org/b"))), ElementsAre("+bob@example.org/b"));
  EXPECT_THAT(words(book.available(jid("bob@example.org/b"))), IsEmpty());
  EXPECT_THAT(words(book.unavailable(jid("bob@example.org/a"))), ElementsAre("-bob@example.org/a"));
  EXPECT_THAT(words(book.unavailable(jid("bob@example.org/b"))),
              ElementsAre("-bob@example.org/b", "-bob@example.org", "-bob"));
  EXPECT_THAT(words(book.available(jid("eve@elsewhere/x"))), ElementsAre("+eve@elsewhere/x", "+eve@elsewhere"));
}

// Prosody answers every first subscription with `unavailable` from the bare address, also when the device is there.
TEST(PresenceBook, AStrangersUnavailableProvesNothing) {
  PresenceBook book("");
  EXPECT_TRUE(book.must_ask("bob@x"));
  EXPECT_THAT(words(book.unavailable(jid("bob@x"))), IsEmpty());
  EXPECT_EQ(book.of(jid("bob@x")), State::unknown);
  book.subscribed("bob@x", true);
  EXPECT_THAT(words(book.unavailable(jid("bob@x"))), ElementsAre("-bob@x"));
  EXPECT_EQ(book.of(jid("bob@x")), State::offline);
}

TEST(PresenceBook, AsksEachStrangerOnce) {
  PresenceBook book("");
  EXPECT_TRUE(book.must_ask("bob@x"));
  EXPECT_FALSE(book.must_ask("bob@x"));
  book.available(jid("eve@x/a"));
  EXPECT_FALSE(book.must_ask("eve@x"));
}

TEST(PresenceBook, ANewLinkMakesEverybodyUnknownAndSaysWhomToAsk) {
  PresenceBook book("");
  book.subscribed("friend@x", true);
  book.available(jid("friend@x/a"));
  book.available(jid("guest@x/b"));
  EXPECT_EQ(book.online(), 2u);
  const auto again = book.forget();
  EXPECT_THAT(again.probe, ElementsAre("friend@x"));
  EXPECT_THAT(again.ping, ElementsAre("guest@x/b"));
  EXPECT_EQ(book.online(), 0u);
  EXPECT_EQ(book.of(jid("friend@x")), State::unknown);
  EXPECT_TRUE(book.is_subscribed("friend@x"));
}

}  // namespace
}  // namespace xmpp
