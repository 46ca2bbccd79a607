// The path of a message, against a server whose every word is scripted.
#include <gtest/gtest.h>

#include "plugins/xmpp/testing/running_channel.hpp"

namespace xmpp::testing {
namespace {

std::string receipt(const std::string& id, const std::string& from = "bob@example.org/phone") {
  return "<message from='" + from + "' to='push.example' id='x'><received xmlns='urn:xmpp:receipts' id='" + id +
         "'/></message>";
}
std::string error(const std::string& id, const std::string& condition, const std::string& from = "bob@example.org") {
  return "<message type='error' from='" + from + "' to='push.example' id='" + id + "'><error type='cancel'><" +
         condition + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
}

TEST(Deliver, IsOpenUntilTheServerHasSurelyReadIt) {
  RunningChannel channel;
  channel.shake_hands();
  const uint64_t ticket = channel.push("m1", "bob");
  channel.hears("to='bob@example.org' id='m1'");
  channel.hears("id='gwb-");
  channel.pass(kSecond);
  EXPECT_TRUE(channel.is_open(ticket)) << "written to a socket is not taken";
  channel.confirm();
  ASSERT_TRUE(channel.wait_turning([&] { return !channel.is_open(ticket); }));
  EXPECT_EQ(channel.outcome(ticket).disposition, GW_ACCEPTED);
  EXPECT_EQ(channel.outcome(ticket).vendor_id, "m1/bob@example.org");
}

TEST(Deliver, AReceiptEndsItAtOnceAndComesAfterTheOutcome) {
  RunningChannel channel;
  channel.shake_hands();
  const uint64_t ticket = channel.push("m1", "bob");
  channel.hears("id='m1'");
  channel.server.say(receipt("m1"));
  const auto events = channel.wait_heard(GW_EVENT_RECEIPT, 1);
  EXPECT_EQ(channel.outcome(ticket).disposition, GW_ACCEPTED);
  EXPECT_EQ(events[0].subkind, GW_RECEIPT_DELIVERED);
  EXPECT_EQ(events[0].flags, GW_EVENT_BY_DEVICE);
  EXPECT_EQ(events[0].vendor_id, "m1/bob@example.org");
  EXPECT_EQ(events[0].message_id, "m1");
  EXPECT_EQ(events[0].address, "bob") << "as it was registered";
  channel.server.say(receipt("m1"));  // once more
  EXPECT_EQ(channel.wait_heard(GW_EVENT_RECEIPT, 2)[1].event_id, events[0].event_id);
}

TEST(Deliver, AStrangersReceiptEndsNothing) {
  RunningChannel channel;
  channel.shake_hands();
  const uint64_t ticket = channel.push("m1");
  channel.hears("id='m1'");
  channel.server.say(receipt("m1", "eve@example.org/x"));
  EXPECT_EQ(channel.wait_heard(GW_EVENT_RECEIPT, 1)[0].vendor_id, "m1/eve@example.org")
      << "a name that nobody was given";
  EXPECT_TRUE(channel.is_open(ticket));
}

TEST(Deliver, EachStanzaErrorHasItsVerdict) {
  RunningChannel channel;
  channel.shake_hands();
  const std::vector<std::pair<const char*, uint32_t>> table = {{"service-unavailable", GW_UNREACHABLE},
                                                               {"item-not-found", GW_TARGET_INVALID},
                                                               {"feature-not-implemented", GW_REJECTED},
                                                               {"remote-server-timeout", GW_RETRY},
                                                               {"policy-violation", GW_THROTTLED}};
  for (const auto& [condition, disposition] : table) {
    const uint64_t ticket = channel.push(condition);
    channel.hears("id='" + std::string(condition) + "'");
    channel.server.say(error(condition, condition));
    EXPECT_EQ(channel.outcome(ticket).disposition, disposition) << condition;
    EXPECT_EQ(channel.outcome(ticket).vendor_code, condition);
  }
}

TEST(Deliver, WhatIsNeverConfirmedIsUnknownBeforeItsDeadline) {
  RunningChannel channel;
  channel.shake_hands();
  const uint64_t ticket = channel.push("m1", "bob", {}, 5);
  channel.hears("id='m1'");
  EXPECT_TRUE(channel.wait_turning([&] { return !channel.is_open(ticket); }));
  EXPECT_EQ(channel.outcome(ticket).disposition, GW_UNKNOWN);
  EXPECT_EQ(channel.outcome(ticket).vendor_code, "not-confirmed");
  EXPECT_EQ(channel.outcome(ticket).vendor_id, "m1/bob@example.org") << "its receipt may still come";
}

TEST(Deliver, ATokenThatIsNoAddressIsDead) {
  RunningChannel channel;
  channel.shake_hands();
  for (const char* bad : {"a b", "x@y@z", "@example.org"}) {
    const uint64_t ticket = channel.push("m", bad);
    EXPECT_EQ(channel.outcome(ticket).disposition, GW_TARGET_INVALID) << bad;
  }
  EXPECT_FALSE(channel.server.has_heard("<message"));
}

TEST(Deliver, WhatWaitsForALinkCanBeCancelledAndGoesOutOtherwise) {
  RunningChannel channel;
  const uint64_t kept = channel.push("m1"), unwanted = channel.push("m2");
  channel.cancel(unwanted);
  EXPECT_EQ(channel.outcome(unwanted).disposition, GW_CANCELLED);
  channel.shake_hands();
  channel.hears("id='m1'");
  EXPECT_FALSE(channel.server.has_heard("id='m2'"));
  EXPECT_TRUE(channel.is_open(kept));
}

TEST(Deliver, NothingIsLostWhileTheHostHasNoRoomForReceipts) {
  RunningChannel channel;
  channel.shake_hands();
  channel.host().refuse_events(1'000'000);
  constexpr int kReceipts = 20'000;
  std::string all;
  for (int i = 0; i < kReceipts; ++i) all += receipt("m" + std::to_string(i));
  std::thread speaker([&] { channel.server.say(all); });
  channel.pass(kSecond);
  channel.host().refuse_events(0);
  EXPECT_TRUE(channel.wait_turning([&] { return channel.heard(GW_EVENT_RECEIPT).size() >= kReceipts; }));
  speaker.join();
  EXPECT_EQ(channel.heard(GW_EVENT_RECEIPT).size(), size_t{kReceipts});
}

TEST(Deliver, AServerThatDoesNotReadFillsTheWindowAndNotTheMemory) {
  RunningChannel channel;
  channel.shake_hands();
  channel.server.stop_reading(true);
  ParcelSpec large;
  large.content = R"({"notification":{"title":"t","body":")" + std::string(50'000, 'x') + R"("}})";
  for (int i = 0; i < 500; ++i) channel.push("m" + std::to_string(i), "bob", large, 4);
  channel.pass(4 * kSecond);
  EXPECT_TRUE(channel.wait_turning([&] { return channel.host().open_targets() == 0; }));
  size_t retried = 0, unknown = 0;
  for (const Settled& s : channel.host().settled()) (s.disposition == GW_RETRY ? retried : unknown)++;
  EXPECT_GT(retried, 300u) << "most never left: 25 MB are not in our buffers";
  EXPECT_GT(unknown, 0u);
}

}  // namespace
}  // namespace xmpp::testing
