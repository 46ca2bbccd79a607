#include "plugins/selfconn/gateway/session_book.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace selfconn {
namespace {

bool has(SessionBook& book, uint64_t device, uint32_t now) {
  std::unique_ptr<SessionState> state;
  return book.take(device, now, state);
}

TEST(SessionBook, GivesBackWhatItKeptOnce) {
  SessionBook book(10);
  auto state = std::make_unique<SessionState>();
  state->sent.push_back({77, 5});
  book.keep(1, 100, std::move(state));
  std::unique_ptr<SessionState> again;
  ASSERT_TRUE(book.take(1, 99, again));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->sent[0].packet_id, 5);
  EXPECT_FALSE(book.take(1, 99, again));
}

TEST(SessionBook, AnEmptySessionIsASessionToo) {
  SessionBook book(10);
  book.keep(0, 100, nullptr);
  EXPECT_TRUE(has(book, 0, 50));
}

TEST(SessionBook, SessionsEnd) {
  SessionBook book(10);
  book.keep(1, 100, nullptr);
  EXPECT_FALSE(has(book, 1, 100));
  EXPECT_EQ(book.size(), 0u);
}

TEST(SessionBook, WhatIsOverIsSwept) {
  SessionBook book(1'000);
  for (uint64_t i = 1; i <= 500; ++i) book.keep(i * 7919, static_cast<uint32_t>(i), nullptr);
  for (int i = 0; i < 10; ++i) book.sweep(250);
  EXPECT_EQ(book.size(), 250u);
  EXPECT_TRUE(has(book, 251 * 7919, 250));
}

TEST(SessionBook, AFullBookKeepsNoneMore) {
  SessionBook book(2);
  for (uint64_t i = 1; i <= 3; ++i) book.keep(i, 100, nullptr);
  EXPECT_TRUE(has(book, 1, 0));
  EXPECT_FALSE(has(book, 3, 0));
  book.keep(3, 100, nullptr);
  EXPECT_TRUE(has(book, 3, 0)) << "there is room again";
}

TEST(SessionBook, AgreesWithAMapOverRandomUse) {
  SessionBook book(10'000);
  std::map<uint64_t, uint32_t> truth;
  std::mt19937 random(3);
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t device = random() % 500 * 64;  // many collisions on purpose
    if (random() % 2) {
      book.keep(device, 1'000, nullptr);
      truth[device] = 1'000;
    } else {
      EXPECT_EQ(has(book, device, 5), truth.erase(device) == 1) << device;
    }
    ASSERT_EQ(book.size(), truth.size());
  }
}

}  // namespace
}  // namespace selfconn
