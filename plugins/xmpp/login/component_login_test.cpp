#include <gtest/gtest.h>

#include "plugins/xmpp/login/testing/server_words.hpp"

namespace xmpp {
namespace {

using testing::ServerWords;

const std::string kHead =
    "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='push.example' ";

TEST(ComponentLogin, ShakesHandsWithTheSecretAndTheStreamsId) {
  auto login = make_component_login("push.example", "secret&co");
  EXPECT_NE(login->header().find("to='push.example'"), std::string::npos);
  ServerWords server(*login);
  // The id is un-escaped before it is hashed: sha1("3BF9&6<" "secret&co").
  EXPECT_EQ(server.say(kHead + "id='3BF9&amp;6&lt;'>").send,
            "<handshake>5c3c19a1f981ca8583a98c0a6ff1c95ed2c3e7c8</handshake>");
  EXPECT_EQ(server.say("<handshake/>").next, Step::Next::ready);
  EXPECT_EQ(login->session().jid, "push.example");
}

TEST(ComponentLogin, AWrongSecretIsForTheOperator) {
  auto login = make_component_login("push.example", "x");
  ServerWords server(*login);
  server.say(kHead + "id='1'>");
  const Step step = server.say(
      "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Given token does not match</text></stream:error>");
  EXPECT_EQ(step.next, Step::Next::failed);
  EXPECT_EQ(step.fault.kind, LinkFault::Kind::configuration);
  EXPECT_EQ(step.fault.code, "not-authorized");
  EXPECT_NE(step.fault.text.find("`password`"), std::string::npos);
}

// Prosody answers an unknown component with an empty id and the error.
TEST(ComponentLogin, AnUnknownNameIsForTheOperatorATakenOneIsNot) {
  auto unknown = make_component_login("push.example", "x");
  ServerWords one(*unknown);
  EXPECT_EQ(one.say(kHead + "id=''>").send, "");
  EXPECT_EQ(
      one.say("<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>").fault.kind,
      LinkFault::Kind::configuration);
  auto taken = make_component_login("push.example", "x");
  ServerWords other(*taken);
  other.say(kHead + "id='1'>");
  EXPECT_EQ(
      other.say("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>").fault.kind,
      LinkFault::Kind::conflict);
}

}  // namespace
}  // namespace xmpp
