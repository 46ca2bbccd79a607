// A device's life, told with literals.
#include "clients/device/core.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace godwit::device {
namespace {

const std::string kConnack("\x20\x03\x00\x00\x00", 5);
const std::string kPingresp("\xD0\x00", 2);

std::string message(const std::string& id, uint16_t packet_id) {
  return publish_packet("godwit/inbox", R"({"message_id":")" + id + R"(","notification":{"title":"Hi"}})", packet_id,
                        false);
}
std::string puback(uint16_t id) {
  return puback_packet(id);
}

struct Phone {
  Memory memory;
  std::vector<std::string> shown;
  std::vector<State> states;
  int64_t now = 1'000'000;
  Core core{{"shop", "d1", "secret"},
            memory,
            {[this](const std::string& id, std::string_view) { shown.push_back(id); },
             [this](State state, const char*) { states.push_back(state); }},
            42};

  void connect(const std::string& connack = kConnack) {
    now += 400'000;
    ASSERT_TRUE(core.wants_line(now));
    core.opening(now);
    core.opened(now);
    EXPECT_EQ(core.output(), connect_packet({"shop", "d1", "secret"}, 600, Core::kSessionS));
    core.received(connack, now);
  }
  std::string hear(const std::string& bytes) {
    core.received(bytes, now);
    return core.output();
  }
  void drop() { core.lost("gone", now); }
};

TEST(Device, ShowsAMessageAndAcknowledgesIt) {
  Phone phone;
  phone.connect();
  EXPECT_EQ(phone.hear(message("m1", 5)), puback(5));
  EXPECT_EQ(phone.shown, std::vector<std::string>{"m1"});
}

TEST(Device, ShowsARepeatedMessageOnceAndAcknowledgesEachCopy) {
  Phone phone;
  phone.connect();
  EXPECT_EQ(phone.hear(message("m1", 5) + message("m1", 6)), puback(5) + puback(6));
  phone.drop();
  phone.connect();
  EXPECT_EQ(phone.hear(message("m1", 1)), puback(1));
  EXPECT_EQ(phone.shown.size(), 1u);
}

TEST(Device, TakesPacketsInAnyPieces) {
  Phone phone;
  phone.connect();
  for (char byte : message("m1", 5) + message("m2", 6)) phone.core.received({&byte, 1}, phone.now);
  EXPECT_EQ(phone.shown.size(), 2u);
}

TEST(Device, ReportsWaitForTheConnectionAndForTheBrokersWord) {
  Phone phone;
  EXPECT_TRUE(phone.core.report("m1", "opened", 77));
  EXPECT_EQ(phone.core.output(), "");
  phone.connect();
  const std::string event =
      publish_packet("godwit/events", R"({"message_id":"m1","event":"opened","at":77})", 1, false);
  EXPECT_EQ(phone.core.output(), event);
  phone.drop();
  EXPECT_EQ(phone.memory.events().size(), 1u) << "nobody has said that it was taken";
  phone.connect();
  EXPECT_FALSE(phone.core.output().empty());
  phone.hear(puback(2));
  EXPECT_TRUE(phone.memory.events().empty());
}

TEST(Device, ManyReportsAreSentEightAtATime) {
  Phone phone;
  for (int i = 0; i < 20; ++i) phone.core.report("m" + std::to_string(i), "opened", 1);
  phone.connect();
  const auto count = [](const std::string& out) {
    size_t n = 0;
    for (size_t at = out.find("godwit/events"); at != std::string::npos; at = out.find("godwit/events", at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count(phone.core.output()), 8u);
  EXPECT_EQ(count(phone.hear(puback(3))), 1u);
  EXPECT_EQ(count(phone.hear(puback(99))), 0u) << "of nothing";
}

TEST(Device, OnlyWordsOfPeopleAreReported) {
  Phone phone;
  EXPECT_FALSE(phone.core.report("m1", "delivered", 1)) << "the acknowledgement says that";
  EXPECT_FALSE(phone.core.report("m\"1", "opened", 1));
}

TEST(Device, PingsAfterSilenceAndGivesUpWithoutAnAnswer) {
  Phone phone;
  phone.connect();
  phone.now += 209'000;
  phone.core.tick(phone.now);
  EXPECT_EQ(phone.core.output(), "");
  phone.now += 1'000;
  phone.core.tick(phone.now);
  EXPECT_EQ(phone.core.output(), ping_packet());
  EXPECT_EQ(phone.hear(kPingresp), "");
  phone.now += 210'000;
  phone.core.tick(phone.now);
  EXPECT_EQ(phone.core.output(), ping_packet());
  phone.now += 20'000;
  phone.core.tick(phone.now);
  EXPECT_TRUE(phone.core.wants_close());
}

TEST(Device, PingsAsOftenAsTheServerAsks) {
  Phone phone;
  phone.connect(std::string("\x20\x06\x00\x00\x03\x13\x00\x3C", 8));
  EXPECT_EQ(phone.core.wake_ms(), phone.now + 60'000);
}

TEST(Device, TriesAgainLaterAndLaterButNotAllAtOnce) {
  Phone phone;
  int64_t longest = 0;
  for (int i = 0; i < 12; ++i) {
    phone.core.opening(phone.now);
    phone.core.lost("no network", phone.now);
    const int64_t wait = phone.core.wake_ms() - phone.now;
    EXPECT_LE(wait, std::min<int64_t>(300'000, int64_t{1000} << i));
    longest = std::max(longest, wait);
    phone.now = phone.core.wake_ms();
  }
  EXPECT_GT(longest, 20'000);
}

TEST(Device, WhenTheServerSendsItAwayItComesBackWithinHalfAMinuteAtRandom) {
  Phone phone;
  phone.connect();
  phone.hear(std::string("\xE0\x02\x9C\x00", 4));
  EXPECT_TRUE(phone.core.wants_close());
  phone.drop();
  EXPECT_LE(phone.core.wake_ms() - phone.now, 30'000);
  EXPECT_GT(phone.core.wake_ms() - phone.now, 0);
}

TEST(Device, ANewNetworkMeansNow) {
  Phone phone;
  phone.core.opening(phone.now);
  phone.drop();
  phone.core.set_network("wifi:home", phone.now);
  EXPECT_TRUE(phone.core.wants_line(phone.now));
}

TEST(Device, ARefusedCredentialEndsTheTriesUntilThereIsAnother) {
  Phone phone;
  phone.connect(std::string("\x20\x03\x00\x86\x00", 5));
  EXPECT_TRUE(phone.core.wants_close());
  phone.drop();
  EXPECT_EQ(phone.core.state(), State::refused);
  EXPECT_EQ(phone.core.wake_ms(), INT64_MAX);
  phone.core.set_credential("secret", phone.now);
  phone.connect();
  EXPECT_EQ(phone.core.state(), State::connected);
}

TEST(Device, ABusyServerIsTriedAgain) {
  Phone phone;
  phone.connect(std::string("\x20\x03\x00\x97\x00", 5));
  phone.drop();
  EXPECT_EQ(phone.core.state(), State::waiting);
}

TEST(Device, WhatIsNotMqttEndsTheConnection) {
  Phone phone;
  phone.connect();
  phone.hear("HTTP/1.1 400 Bad Request\r\n\r\n");
  phone.hear(kConnack);
  EXPECT_TRUE(phone.core.wants_close());
}

TEST(Device, AMessageWithoutAnIdOrOfAnotherTopicIsAcknowledgedAndNotShown) {
  Phone phone;
  phone.connect();
  EXPECT_EQ(phone.hear(publish_packet("godwit/inbox", "{}", 3, false) +
                       publish_packet("x", R"({"message_id":"m"})", 4, false)),
            puback(3) + puback(4));
  EXPECT_TRUE(phone.shown.empty());
}

TEST(Device, TellsTheAppWhereItStands) {
  Phone phone;
  phone.connect();
  phone.drop();
  EXPECT_EQ(phone.states, (std::vector<State>{State::connecting, State::connected, State::waiting}));
}

}  // namespace
}  // namespace godwit::device
