// Who is there, as the server tells it and the host hears it.
#include <gtest/gtest.h>

#include "plugins/xmpp/testing/running_channel.hpp"

namespace xmpp::testing {
namespace {

std::string presence(const std::string& from, const std::string& type = {}) {
  return "<presence from='" + from + "' to='push.example'" + (type.empty() ? "" : " type='" + type + "'") + "/>";
}
std::string story(RunningChannel& channel, const std::string& address) {
  std::string out;
  for (const HeardEvent& e : channel.heard(GW_EVENT_PRESENCE))
    if (e.address == address) out += e.subkind == GW_PRESENCE_ONLINE ? "+" : "-";
  return out;
}

TEST(Presence, IsReportedUnderEveryFormOfTheAddress) {
  RunningChannel channel;
  channel.shake_hands();
  channel.server.say(presence("bob@example.org/phone"));
  channel.wait_heard(GW_EVENT_PRESENCE, 3);
  channel.server.say(presence("bob@example.org/phone", "unavailable"));
  channel.wait_heard(GW_EVENT_PRESENCE, 6);
  for (const char* address : {"bob", "bob@example.org", "bob@example.org/phone"})
    EXPECT_EQ(story(channel, address), "+-");
  EXPECT_EQ(channel.host().events().front().kind, GW_EVENT_PRESENCE_RESET);
}

TEST(Presence, ToAStrangerASubscriptionIsOfferedOnce) {
  RunningChannel channel;
  channel.shake_hands();
  channel.push("m1");
  channel.push("m2");
  channel.hears("id='m2'");
  channel.hears("<presence type='subscribe' from='push.example' to='bob@example.org'/>");
  const std::string heard = channel.server.heard();
  EXPECT_EQ(heard.find("type='subscribe'"), heard.rfind("type='subscribe'"));
}

TEST(Presence, NothingIsSentToWhoIsKnownToBeAway) {
  RunningChannel channel;
  channel.shake_hands();
  channel.server.say(presence("bob@example.org/phone") + presence("bob@example.org/phone", "unavailable"));
  channel.wait_heard(GW_EVENT_PRESENCE, 6);
  const uint64_t ticket = channel.push("m1");
  EXPECT_EQ(channel.outcome(ticket).disposition, GW_UNREACHABLE);
  EXPECT_EQ(channel.outcome(ticket).vendor_code, "presence-unavailable");
  EXPECT_FALSE(channel.server.has_heard("id='m1'"));
}

TEST(Presence, WithOfflineServerItIsTheServersBusiness) {
  RunningChannel channel(R"(, "offline": "server")");
  channel.shake_hands();
  channel.server.say(presence("bob@example.org/phone") + presence("bob@example.org/phone", "unavailable"));
  channel.push("m1");
  channel.hears("<store xmlns='urn:xmpp:hints'/>");
  EXPECT_TRUE(channel.heard(GW_EVENT_PRESENCE).empty());
  EXPECT_FALSE(channel.server.has_heard("type='subscribe'"));
}

TEST(Presence, ASubscriptionIsAcceptedAndReturned) {
  RunningChannel channel;
  channel.shake_hands();
  channel.server.say(presence("bob@example.org", "subscribe"));
  channel.hears(
      "<presence type='subscribed' from='push.example' to='bob@example.org'/><presence from='push.example' "
      "to='bob@example.org'/><presence type='subscribe' from='push.example' to='bob@example.org'/>");
}

TEST(Presence, AfterANewLinkFriendsAreProbedAndGuestsPinged) {
  RunningChannel channel;
  channel.shake_hands();
  channel.server.say(presence("friend@example.org", "subscribed") + presence("friend@example.org/a") +
                     presence("guest@example.org/b"));
  channel.wait_heard(GW_EVENT_PRESENCE, 6);
  channel.server.hang_up();
  channel.shake_hands();
  channel.hears("<presence type='probe' from='push.example' to='friend@example.org'/>");
  channel.hears("<ping xmlns='urn:xmpp:ping'/>");
  EXPECT_EQ(channel.wait_heard(GW_EVENT_PRESENCE_RESET, 2).size(), 2u);
  const std::string heard = channel.server.heard();
  const size_t id = heard.find("gwc-");
  ASSERT_NE(id, std::string::npos) << heard;
  channel.server.say("<iq type='result' from='guest@example.org/b' id='" + heard.substr(id, heard.find('\'', id) - id) +
                     "'/>");
  EXPECT_TRUE(channel.wait([&] { return story(channel, "guest@example.org") == "++"; }));
}

// Protects against a present phone that gets nothing: ejabberd 23.01 announces the end of a replaced session late.
TEST(Presence, AnOldSessionsLateEndDoesNotHideTheNewOne) {
  RunningChannel channel;
  channel.shake_hands();
  channel.server.say(presence("friend@example.org", "subscribed") + presence("friend@example.org/a") +
                     presence("guest@example.org/b") + presence("friend@example.org/a") +
                     presence("friend@example.org/a", "unavailable") + presence("guest@example.org/b", "unavailable"));
  channel.hears("<presence type='probe' from='push.example' to='friend@example.org'/>");
  channel.hears("<ping xmlns='urn:xmpp:ping'/>");
  const std::string heard = channel.server.heard();
  const size_t id = heard.find("gwc-");
  ASSERT_NE(id, std::string::npos) << heard;
  channel.server.say(presence("friend@example.org/a") + "<iq type='result' from='guest@example.org/b' id='" +
                     heard.substr(id, heard.find('\'', id) - id) + "'/>");
  EXPECT_TRUE(channel.wait([&] { return story(channel, "guest@example.org") == "+-+"; }));
  EXPECT_EQ(story(channel, "friend@example.org"), "+-+");
}

TEST(Presence, WhoIsReallyGoneIsAskedOnce) {
  RunningChannel channel;
  channel.shake_hands();
  channel.server.say(presence("friend@example.org", "subscribed") + presence("friend@example.org/a") +
                     presence("friend@example.org/a", "unavailable"));
  const std::string probe = "<presence type='probe' from='push.example' to='friend@example.org'/>";
  channel.hears(probe);
  channel.server.say(presence("friend@example.org", "unavailable") + presence("other@example.org/x"));
  EXPECT_TRUE(channel.wait([&] { return story(channel, "other@example.org") == "+"; }));
  EXPECT_EQ(story(channel, "friend@example.org"), "+-");
  const std::string heard = channel.server.heard();
  EXPECT_EQ(heard.find(probe), heard.rfind(probe));
}

TEST(Presence, AnAbsentAndroidpnPhoneIsPingedUntilItAnswers) {
  RunningChannel channel(R"(, "dialect": "androidpn")");
  channel.shake_hands();
  const uint64_t ticket = channel.push("m1", "bob");
  channel.hears("to='bob@example.org/AndroidpnClient' id='m1'");
  channel.server.say(
      "<iq type='error' from='bob@example.org/AndroidpnClient' id='m1'><error type='cancel'>"
      "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  EXPECT_EQ(channel.outcome(ticket).disposition, GW_UNREACHABLE);
  ASSERT_TRUE(channel.wait_turning([&] { return channel.server.has_heard("gwc-"); }));
  const std::string heard = channel.server.heard();
  const size_t id = heard.find("gwc-");
  // An old client does not know pings, but who says so is there.
  channel.server.say(
      "<iq type='error' from='bob@example.org/AndroidpnClient' id='" + heard.substr(id, heard.find('\'', id) - id) +
      "'><error type='cancel'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  EXPECT_TRUE(channel.wait([&] { return story(channel, "bob") == "+"; }));
}

}  // namespace
}  // namespace xmpp::testing
