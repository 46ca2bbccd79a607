#include <gtest/gtest.h>

#include "plugins/xmpp/login/crypto.hpp"
#include "plugins/xmpp/login/testing/server_words.hpp"

namespace xmpp {
namespace {

using testing::ServerWords;
using Kind = LinkFault::Kind;

const std::string kHead =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>";
const std::string kTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const std::string kBind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const std::string kSm = "<sm xmlns='urn:xmpp:sm:3'/>";

std::string features(const std::string& inside) {
  return kHead + "<stream:features>" + inside + "</stream:features>";
}
std::string mechanisms(std::initializer_list<const char*> names) {
  std::string out = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>";
  for (const char* name : names) out += "<mechanism>" + std::string(name) + "</mechanism>";
  return out + "</mechanisms>";
}
std::unique_ptr<Login> client(TlsMode tls, Resumption previous = {}) {
  return make_client_login({*Jid::parse("user@push.example/broker"), "pencil", tls, "fyko+d2lbbFgONRv9qkxdawL"},
                           previous);
}

struct SignedIn {
  explicit SignedIn(Resumption previous = {}) : login(client(TlsMode::required, previous)), server(*login) {
    login->header();
    server.say(features(kTls));
    server.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    server.say(features(mechanisms({"PLAIN"})));
    EXPECT_EQ(server.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").next, Step::Next::restart);
  }
  std::unique_ptr<Login> login;
  ServerWords server;
};

TEST(ClientLogin, GoesThroughTlsScramBindingAndStreamManagement) {
  auto login = client(TlsMode::required);
  ServerWords server(*login);
  EXPECT_NE(login->header().find("to='push.example'"), std::string::npos);
  EXPECT_NE(server.say(features(kTls + mechanisms({"PLAIN"}))).send.find("<starttls"), std::string::npos);
  EXPECT_EQ(server.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").next, Step::Next::start_tls);
  EXPECT_NE(server.say(features(mechanisms({"PLAIN", "SCRAM-SHA-1"}))).send.find("mechanism='SCRAM-SHA-1'"),
            std::string::npos);
  const Step answer =
      server.say("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
                 base64("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096") + "</challenge>");
  EXPECT_NE(answer.send.find("<response"), std::string::npos);
  EXPECT_EQ(server
                .say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + base64("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") +
                     "</success>")
                .next,
            Step::Next::restart);
  EXPECT_NE(server.say(features(kBind + kSm)).send.find("<resource>broker</resource>"), std::string::npos);
  EXPECT_EQ(server
                .say("<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                     "<jid>user@push.example/broker</jid></bind></iq>")
                .send,
            "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
  EXPECT_EQ(server.say("<enabled xmlns='urn:xmpp:sm:3' id='r1' resume='true'/>").next, Step::Next::ready);
  EXPECT_EQ(login->session().jid, "user@push.example/broker");
  EXPECT_EQ(login->session().resume_id, "r1");
  EXPECT_TRUE(login->session().counts_stanzas);
}

TEST(ClientLogin, WithoutTlsThePasswordIsNotSent) {
  auto strict = client(TlsMode::required);
  strict->header();
  const Step refused = ServerWords(*strict).say(features(mechanisms({"PLAIN", "SCRAM-SHA-1"})));
  EXPECT_EQ(refused.fault.code, "tls-not-offered");
  EXPECT_EQ(refused.fault.kind, Kind::configuration);
  auto open = client(TlsMode::off);
  open->header();
  EXPECT_EQ(ServerWords(*open).say(features(mechanisms({"PLAIN"}))).fault.code, "no-mechanism");
}

TEST(ClientLogin, AServerThatDoesNotKnowThePasswordIsRefused) {
  auto login = client(TlsMode::off);
  login->header();
  ServerWords server(*login);
  server.say(features(mechanisms({"SCRAM-SHA-1"})));
  const Step step = server.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  EXPECT_EQ(step.next, Step::Next::failed);
  EXPECT_EQ(step.fault.code, "scram");
}

TEST(ClientLogin, AWrongPasswordIsForTheOperatorABusyServerIsNot) {
  for (const auto& [word, kind] :
       {std::pair{"not-authorized", Kind::configuration}, {"temporary-auth-failure", Kind::network}}) {
    auto login = client(TlsMode::off);
    login->header();
    ServerWords server(*login);
    server.say(features(mechanisms({"SCRAM-SHA-256"})));
    const Step step =
        server.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><" + std::string(word) + "/></failure>");
    EXPECT_EQ(step.fault.kind, kind) << word;
    EXPECT_EQ(step.fault.code, word);
  }
}

TEST(ClientLogin, ResumesWhereItCan) {
  SignedIn s({"r1", 17});
  EXPECT_EQ(s.server.say(features(kBind + kSm)).send, "<resume xmlns='urn:xmpp:sm:3' h='17' previd='r1'/>");
  EXPECT_EQ(s.server.say("<resumed xmlns='urn:xmpp:sm:3' h='4' previd='r1'/>").next, Step::Next::ready);
  EXPECT_TRUE(s.login->session().is_resumed);
  EXPECT_EQ(s.login->session().handled, 4u);
}

TEST(ClientLogin, BindsAnewWhenTheServerHasForgotten) {
  SignedIn s({"r1", 17});
  s.server.say(features(kBind + kSm));
  const Step step = s.server.say(
      "<failed xmlns='urn:xmpp:sm:3' h='3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
  EXPECT_NE(step.send.find("<bind"), std::string::npos);
  EXPECT_FALSE(s.login->session().is_resumed);
  EXPECT_TRUE(s.login->session().knows_handled);
  EXPECT_EQ(s.login->session().handled, 3u);
}

TEST(ClientLogin, AServerWithoutStreamManagementWillDo) {
  SignedIn s;
  s.server.say(features(kBind));
  EXPECT_EQ(s.server
                .say("<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                     "<jid>user@push.example/b</jid></bind></iq>")
                .next,
            Step::Next::ready);
  EXPECT_FALSE(s.login->session().counts_stanzas);
}

}  // namespace
}  // namespace xmpp
