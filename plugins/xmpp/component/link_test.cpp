// What happens to the link, and to what is on it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "plugins/xmpp/testing/running_channel.hpp"

namespace xmpp::testing {
namespace {

// The ids of the messages in the order in which the server heard them.
std::vector<std::string> ids(const std::string& heard) {
  std::vector<std::string> out;
  for (size_t at = heard.find("<message"); at != std::string::npos; at = heard.find("<message", at + 1)) {
    const size_t id = heard.find(" id='", at) + 5;
    out.push_back(heard.substr(id, heard.find('\'', id) - id));
  }
  return out;
}

TEST(Link, WhatACutLeftUnconfirmedGoesOutFirstInOrderUnderTheSameId) {
  RunningChannel channel;
  channel.shake_hands();
  std::vector<uint64_t> tickets;
  for (const char* id : {"m1", "m2", "m3"}) tickets.push_back(channel.push(id));
  channel.hears("id='m3'");
  channel.server.hang_up();
  ASSERT_TRUE(channel.wait([&] { return channel.host().state() == GW_STATE_DOWN; }));
  tickets.push_back(channel.push("m4"));
  channel.shake_hands();
  channel.hears("id='m4'");
  EXPECT_EQ(ids(channel.server.heard()), (std::vector<std::string>{"m1", "m2", "m3", "m4"}));
  channel.confirm();
  for (const uint64_t ticket : tickets) {
    ASSERT_TRUE(channel.wait_turning([&] { return !channel.is_open(ticket); }));
    EXPECT_EQ(channel.outcome(ticket).disposition, GW_ACCEPTED);
  }
  EXPECT_TRUE(channel.host().misbehaviours().empty());
}

// The server had it, but the device's receipt may have died with the link: only the device can say it again.
TEST(Link, AConfirmedMessageWithoutReceiptIsSentOnceMore) {
  RunningChannel channel;
  channel.shake_hands();
  const uint64_t ticket = channel.push("m1");
  channel.hears("id='m1'");
  channel.confirm();
  channel.push("m2");  // its stanza shows that the confirmation was read
  channel.hears("id='m2'");
  channel.server.hang_up();
  ASSERT_TRUE(channel.wait([&] { return channel.host().state() == GW_STATE_DOWN; }));
  channel.shake_hands();
  channel.hears("id='m2'");
  EXPECT_EQ(ids(channel.server.heard()), (std::vector<std::string>{"m1", "m2"}));
  EXPECT_TRUE(channel.is_open(ticket));
}

TEST(Link, WhatMustNotBeSentTwiceIsUnknownAfterACut) {
  RunningChannel channel;
  channel.shake_hands();
  const uint64_t ticket = channel.push("m1", "bob", {.flags = GW_MSG_AT_MOST_ONCE});
  channel.hears("id='m1'");
  channel.server.hang_up();
  EXPECT_EQ(channel.outcome(ticket).disposition, GW_UNKNOWN);
  EXPECT_EQ(channel.outcome(ticket).vendor_code, "link-lost");
}

TEST(Link, WithoutALinkAMessageIsRetriedAtItsDeadlineAndExpiresAtItsEnd) {
  RunningChannel channel;
  const uint64_t late = channel.push("m1", "bob", {}, 600), old = channel.push("m2", "bob", {.ttl_ms = 1000}, 5);
  EXPECT_TRUE(channel.wait_turning([&] { return !channel.is_open(old); }));
  EXPECT_EQ(channel.outcome(old).disposition, GW_EXPIRED);
  EXPECT_TRUE(channel.is_open(late));
  channel.pass(600 * kSecond);
  EXPECT_EQ(channel.outcome(late).disposition, GW_RETRY);
  EXPECT_EQ(channel.outcome(late).vendor_code, "link-down");
}

TEST(Link, AWrongSecretIsForTheOperatorAndANewOneIsTriedAtOnce) {
  RunningChannel channel;
  channel.hears("to='push.example'>");
  channel.server.say(
      "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>"
      "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  ASSERT_TRUE(channel.wait([&] { return channel.host().state() == GW_STATE_FAILED; }));
  EXPECT_TRUE(channel.host().state_reason().starts_with("not-authorized: ")) << channel.host().state_reason();
  channel.pass(5 * kSecond);
  EXPECT_EQ(channel.server.connections(), 1u) << "not hammered";
  channel.host().secrets().set("the-secret", "another");
  ASSERT_TRUE(channel.wait([&] { return channel.server.connections() == 2; }));
  channel.shake_hands();
}

TEST(Link, AServerThatFallsSilentIsLeft) {
  RunningChannel channel;
  channel.shake_hands();
  channel.pass(61 * kSecond);
  channel.hears("id='gwb-");  // is it still there?
  channel.confirm();
  channel.pass(30 * kSecond);
  EXPECT_EQ(channel.server.connections(), 1u);
  channel.push("m1");
  channel.hears("id='m1'");
  EXPECT_TRUE(channel.wait_turning([&] { return channel.server.connections() == 2; }));
}

TEST(Link, AServerThatNeverEndsTheHandshakeIsLeft) {
  RunningChannel channel;
  channel.hears("to='push.example'>");
  EXPECT_TRUE(channel.wait_turning([&] { return channel.server.connections() >= 2; }));
}

// Any account of the server can send these; the link is everybody's.
TEST(Link, AStrangersMonsterDoesNotCutIt) {
  RunningChannel channel;
  channel.shake_hands();
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "<a>";
  for (int i = 0; i < 10'000; ++i) deep += "</a>";
  channel.server.say("<message from='eve@example.org/x'>" + deep + "</message><message><body>" +
                     std::string(500'000, 'x') +
                     "</body></message><presence from='&lt;'/><iq type='get' id='q' from='eve@example.org/x'>"
                     "<ping xmlns='urn:xmpp:ping'/></iq>");
  channel.hears("<iq id='q' to='eve@example.org/x' from='push.example' type='result'/>");
  EXPECT_EQ(channel.host().state(), uint32_t{GW_STATE_READY});
}

TEST(Link, AnEntityBombDoes) {
  RunningChannel channel;
  channel.shake_hands();
  channel.server.say("<a>&bomb;</a>");
  ASSERT_TRUE(channel.wait([&] { return channel.host().state() == GW_STATE_DOWN; }));
  EXPECT_TRUE(channel.host().state_reason().starts_with("not-well-formed")) << channel.host().state_reason();
  channel.shake_hands();
}

TEST(Link, ANameIsLookedUpOffTheLane) {
  RunningChannel channel;  // its own server is not used
  ScriptedServer named;
  RunningChannel other(R"(, "server": "localhost:)" + named.address().substr(10) + "\"");
  EXPECT_TRUE(other.wait_turning([&] { return named.connections() > 0; })) << other.host().state_reason();
}

// Libraries that wait with select() abort here.
TEST(Link, WorksWithThousandsOfDescriptorsOpen) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<int> many;
  while (many.size() < 1500) {
    many.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_GE(many.back(), 0);
  }
  {
    RunningChannel channel;
    channel.shake_hands();
    const uint64_t ticket = channel.push("m1");
    channel.hears("id='m1'");
    channel.confirm();
    EXPECT_TRUE(channel.wait_turning([&] { return !channel.is_open(ticket); }));
  }
  for (const int descriptor : many) ::close(descriptor);
}

}  // namespace
}  // namespace xmpp::testing
