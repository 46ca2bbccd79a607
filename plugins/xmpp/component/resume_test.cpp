// A client's stream that is taken up again (XEP-0198 §5), and one that cannot be.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "plugins/xmpp/testing/running_channel.hpp"

namespace xmpp::testing {
namespace {

constexpr char kClient[] = R"(, "mode": "client", "jid": "sender@example.org", "tls": "off")";
const std::string kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='example.org' id='s1' version='1.0'>";

std::string base64(const std::string& bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                                 reinterpret_cast<const unsigned char*>(bytes.data()),
                                                 static_cast<int>(bytes.size()))));
  return out;
}

std::string from_base64(const std::string& text) {
  std::string out(text.size(), '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(text.size() / 4 * 3 - padding);
  return out;
}

std::string hmac(const std::string& key, const std::string& text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

// What stands between two marks in what the server heard.
std::string between(const std::string& heard, const std::string& before, const std::string& after) {
  const size_t at = heard.rfind(before);
  if (at == std::string::npos) return {};
  const size_t from = at + before.size();
  return heard.substr(from, heard.find(after, from) - from);
}

// The server's part of SCRAM-SHA-256 (RFC 5802 §3), up to the features of the stream that follows.
void let_sign_in(RunningChannel& channel) {
  const std::string sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
  channel.await_stream();
  channel.server.forget();
  channel.server.say(kHeader + "<stream:features><mechanisms " + sasl +
                     "><mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>");
  ASSERT_TRUE(channel.hears("</auth>"));
  const std::string bare = from_base64(between(channel.server.heard(), "'SCRAM-SHA-256'>", "</auth>")).substr(3);
  const std::string nonce = bare.substr(bare.find("r=") + 2) + "server", salt = "salt of the sea";
  const std::string challenge = "r=" + nonce + ",s=" + base64(salt) + ",i=4096";
  channel.server.say("<challenge " + sasl + ">" + base64(challenge) + "</challenge>");
  ASSERT_TRUE(channel.hears("</response>"));
  const std::string answer = from_base64(between(channel.server.heard(), sasl + ">", "</response>"));
  std::string salted(32, '\0');
  PKCS5_PBKDF2_HMAC("sesame", 6, reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                    4096, EVP_sha256(), 32, reinterpret_cast<unsigned char*>(salted.data()));
  const std::string signature =
      hmac(hmac(salted, "Server Key"), bare + "," + challenge + "," + answer.substr(0, answer.find(",p=")));
  channel.server.forget();
  channel.server.say("<success " + sasl + ">" + base64("v=" + base64(signature)) + "</success>");
  ASSERT_TRUE(channel.hears("<stream:stream "));
  channel.server.say(kHeader +
                     "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>"
                     "</stream:features>");
}

void let_begin(RunningChannel& channel) {
  ASSERT_TRUE(channel.hears("id='bind'"));
  channel.server.say(
      "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>sender@example.org/1</jid>"
      "</bind></iq>");
  ASSERT_TRUE(channel.hears("<enable "));
  channel.server.say("<enabled xmlns='urn:xmpp:sm:3' id='the-stream' resume='true'/>");
  ASSERT_TRUE(channel.wait([&] { return channel.host().state() == GW_STATE_READY; }));
}

// The link is lost and comes back, and the server says that it goes on with the stream.
void let_resume(RunningChannel& channel) {
  channel.server.hang_up();
  ASSERT_TRUE(channel.wait([&] { return channel.host().state() == GW_STATE_DOWN; }));
  let_sign_in(channel);
  ASSERT_TRUE(channel.hears("previd='the-stream'"));
  channel.server.say("<resumed xmlns='urn:xmpp:sm:3' h='1' previd='the-stream'/>");
  ASSERT_TRUE(channel.wait([&] { return channel.host().state() == GW_STATE_READY; }));
}

TEST(Resume, WhatTheServerDidNotCountGoesOutAgain) {
  RunningChannel channel(kClient);
  let_sign_in(channel);
  let_begin(channel);
  const uint64_t ticket = channel.push("m1");
  channel.hears("id='m1'");
  let_resume(channel);  // it counted our presence, but not the message
  channel.hears("id='m1'");
  channel.server.say("<a xmlns='urn:xmpp:sm:3' h='2'/>");
  EXPECT_EQ(channel.outcome(ticket).disposition, GW_ACCEPTED);
}

TEST(Resume, AStreamThatIsSilentOnceResumedIsBegunAnew) {
  RunningChannel channel(kClient);
  let_sign_in(channel);
  let_begin(channel);
  const uint64_t ticket = channel.push("m1");
  channel.hears("id='m1'");
  let_resume(channel);
  channel.hears("id='m1'");
  ASSERT_TRUE(channel.wait_turning([&] { return channel.server.connections() == 3; })) << "20 s without an answer";
  let_sign_in(channel);
  let_begin(channel);  // not resumed
  channel.hears("id='m1'");
  channel.server.say("<a xmlns='urn:xmpp:sm:3' h='2'/>");
  EXPECT_EQ(channel.outcome(ticket).disposition, GW_ACCEPTED);
}

}  // namespace
}  // namespace xmpp::testing
