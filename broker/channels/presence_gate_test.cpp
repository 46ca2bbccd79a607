#include "broker/channels/presence_gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::channels {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ChannelEvent::Kind;
using Stand = PresenceGate::Stand;

std::vector<ChannelEvent> one(Kind kind, std::string address = {}) {
  std::vector<ChannelEvent> list(1);
  list[0].kind = kind;
  list[0].address = std::move(address);
  return list;
}

struct Receiver {
  std::vector<std::string> got;
  bool has_room = true;
  PresenceGate::Deliver deliver = [this](std::vector<ChannelEvent> events) {
    if (!has_room) return false;
    for (const ChannelEvent& e : events)
      got.push_back(e.kind == Kind::presence_reset ? "nobody" : e.kind == Kind::presence ? e.address : "receipt");
    return true;
  };
};

TEST(PresenceGate, KeepsWhatAWaitingInstanceSaysOfDevicesUntilItServes) {
  PresenceGate gate(Stand::waiting);
  Receiver to;
  EXPECT_TRUE(gate.pass(one(Kind::presence, "of an earlier picture"), to.deliver));
  EXPECT_TRUE(gate.pass(one(Kind::presence_reset), to.deliver));
  EXPECT_TRUE(gate.pass(one(Kind::presence, "d1"), to.deliver));
  EXPECT_THAT(to.got, IsEmpty());
  EXPECT_TRUE(gate.pass(one(Kind::receipt), to.deliver));
  EXPECT_THAT(to.got, ElementsAre("receipt")) << "a receipt waits for nobody";
  EXPECT_TRUE(gate.open(to.deliver));
  EXPECT_TRUE(gate.pass(one(Kind::presence, "d2"), to.deliver));
  EXPECT_THAT(to.got, ElementsAre("receipt", "nobody", "d1", "d2"));
}

TEST(PresenceGate, DropsWhatAReplacedInstanceSaysOfDevicesButNotItsReceipts) {
  PresenceGate gate(Stand::serving);
  Receiver to;
  EXPECT_TRUE(gate.pass(one(Kind::presence, "d1"), to.deliver));
  gate.replace();
  std::vector<ChannelEvent> both = one(Kind::presence_reset);
  both.push_back(one(Kind::receipt)[0]);
  EXPECT_TRUE(gate.pass(both, to.deliver));
  EXPECT_TRUE(gate.pass(one(Kind::presence, "d1 left"), to.deliver));
  EXPECT_THAT(to.got, ElementsAre("d1", "receipt"));
}

TEST(PresenceGate, WaitsOnWhenTheReceiverHasNoRoomForWhatWasKept) {
  PresenceGate gate(Stand::waiting);
  Receiver to;
  ASSERT_TRUE(gate.pass(one(Kind::presence_reset), to.deliver));
  to.has_room = false;
  EXPECT_FALSE(gate.open(to.deliver));
  EXPECT_TRUE(gate.pass(one(Kind::presence, "d1"), to.deliver));
  to.has_room = true;
  EXPECT_TRUE(gate.open(to.deliver));
  EXPECT_THAT(to.got, ElementsAre("nobody", "d1"));
}

TEST(PresenceGate, SaysThatThereIsNoRoomRatherThanKeepWithoutEnd) {
  PresenceGate gate(Stand::waiting);
  Receiver to;
  int taken = 0;
  while (taken < 100'000 && gate.pass(one(Kind::presence, "d"), to.deliver)) ++taken;
  EXPECT_EQ(taken, 10'000);
  EXPECT_TRUE(gate.pass(one(Kind::presence_reset), to.deliver)) << "a new picture needs less";
}

}  // namespace
}  // namespace godwit::channels
