// A TLS 1.3 connection after OpenSSL let go of it, against OpenSSL's client.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "plugins/selfconn/testing/tls_pair.hpp"

namespace selfconn {
namespace {

using testing::bytes_of;
using Pair = testing::TlsPair;

std::string long_text(size_t size) {
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + ' ';
  text.resize(size);
  return text;
}

TEST(Tls13, CarriesBytesBothWaysWithEverySuite) {
  for (const char* suite : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    Pair pair({.suite = suite});
    const std::string text = long_text(300'000);
    EXPECT_EQ(pair.client_hears(text), text) << suite;
    ASSERT_TRUE(pair.client_says("hello"));
    EXPECT_EQ(pair.server_hears(5), "hello") << suite;
  }
}

TEST(Tls13, AReaderWithLittleRoomGetsEverything) {
  Pair pair;
  const std::string text = long_text(50'000);
  ASSERT_TRUE(pair.client_says(text));
  std::string heard;
  uint8_t room[777];
  for (ssize_t n; (n = pair.server->read(pair.fds[0], room)) > 0;)
    heard.append(reinterpret_cast<char*>(room), static_cast<size_t>(n));
  EXPECT_EQ(heard, text);
}

TEST(Tls13, RecordsMayComeByteByByte) {
  Pair pair;
  int between[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, between), 0);
  SSL_set_fd(pair.client, between[0]);
  ASSERT_TRUE(pair.client_says("first") && pair.client_says("second"));
  std::string heard;
  char c;
  while (::recv(between[1], &c, 1, 0) == 1) {
    ASSERT_EQ(::send(pair.fds[1], &c, 1, 0), 1);
    heard += pair.server_hears(100);
  }
  EXPECT_EQ(heard, "firstsecond");
  SSL_set_fd(pair.client, pair.fds[1]);
  ::close(between[0]);
  ::close(between[1]);
}

TEST(Tls13, FollowsAKeyUpdateAndAnswersIt) {
  Pair pair;
  for (const int kind : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    ASSERT_EQ(SSL_key_update(pair.client, kind), 1);
    ASSERT_TRUE(pair.client_says("after"));
    EXPECT_EQ(pair.server_hears(5), "after");
    EXPECT_EQ(pair.client_hears("answer"), "answer");
  }
}

TEST(Tls13, ChangesItsOwnKeyInTime) {
  Pair pair({.rekey_after = 3});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(pair.client_hears("message"), "message") << i;
  ASSERT_TRUE(pair.client_says("hello"));
  EXPECT_EQ(pair.server_hears(5), "hello");
}

TEST(Tls13, MakesNoFragmentsLargerThanThePeerTakes) {
  Pair pair({.max_fragment = TLSEXT_max_fragment_length_512});
  const std::string text = long_text(5'000);
  EXPECT_EQ(pair.server->write(pair.fds[0], bytes_of(text)), 512);
  EXPECT_EQ(pair.client_hears(text.substr(512)), text);
}

TEST(Tls13, AHeadAndABodyAreOneRecord) {
  Pair pair;
  EXPECT_EQ(pair.server->write(pair.fds[0], bytes_of("head "), bytes_of("body")), 9);
  char room[100];
  EXPECT_EQ(SSL_read(pair.client, room, sizeof room), 9);
  EXPECT_EQ(std::string_view(room, 9), "head body");
}

TEST(Tls13, GoodbyesAreSaidAndHeard) {
  Pair pair;
  ASSERT_TRUE(pair.client_says("last words"));
  SSL_shutdown(pair.client);
  EXPECT_EQ(pair.server_hears(10), "last words");
  uint8_t room[10];
  EXPECT_EQ(pair.server->read(pair.fds[0], room), 0);
  EXPECT_EQ(pair.server->read(pair.fds[0], room), 0);
  pair.server->finish(pair.fds[0]);
  EXPECT_EQ(SSL_shutdown(pair.client), 1);
}

TEST(Tls13, AFaultIsAnsweredByItsAlert) {
  struct Case {
    std::string bytes;
    int alert;
  };
  const std::string header = "\x17\x03\x03";
  for (const auto& [bytes, alert] :
       {Case{header + std::string("\0\x20", 2) + std::string(32, 'x'), 20},  // bad_record_mac
        Case{header + "\x7F\xFF", 22},                                       // record_overflow
        Case{std::string("\x14\x03\x03\0\1\1", 6), 10},                      // unexpected_message
        Case{std::string("\x15\x03\x03\0\2\1\0", 7), 10}}) {
    Pair pair;
    ASSERT_EQ(::send(pair.fds[1], bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    uint8_t room[10];
    EXPECT_EQ(pair.server->read(pair.fds[0], room), -1);
    EXPECT_EQ(errno, ECONNABORTED);
    int heard = 0;
    SSL_set_app_data(pair.client, &heard);
    SSL_set_info_callback(pair.client, [](const SSL* ssl, int where, int value) {
      if (where == SSL_CB_READ_ALERT) *static_cast<int*>(SSL_get_app_data(ssl)) = value & 0xFF;
    });
    EXPECT_LE(SSL_read(pair.client, room, sizeof room), 0);
    EXPECT_EQ(heard, alert);
  }
}

// A replayed CONNECT must not open a connection: what comes before the handshake's end is thrown away.
TEST(Tls13, EarlyDataIsNotTaken) {
  SSL_SESSION* session = nullptr;
  {
    Pair first;
    EXPECT_EQ(first.client_hears("message"), "message");  // the ticket came before it
    session = SSL_get1_session(first.client);
    SSL_set_shutdown(first.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ASSERT_EQ(SSL_SESSION_get_max_early_data(session), 0u);
    SSL_SESSION_set_max_early_data(session, 1000);  // a client that does not believe it
    Pair second({.resume = session, .early = "early", .same_server_as = &first});
    EXPECT_EQ(SSL_session_reused(second.client), 1);
    EXPECT_EQ(SSL_get_early_data_status(second.client), SSL_EARLY_DATA_REJECTED);
    ASSERT_TRUE(second.client_says("later"));
    EXPECT_EQ(second.server_hears(100), "later");
    EXPECT_EQ(second.client_hears("answer"), "answer");
  }
  SSL_SESSION_free(session);
}

TEST(Tls13, EndlessKeyUpdatesAreCutOff) {
  Pair pair;
  uint8_t room[10];
  int updates = 0;
  for (errno = EAGAIN; errno == EAGAIN && updates < 100; ++updates) {
    ASSERT_EQ(SSL_key_update(pair.client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(pair.client), 1);
    ASSERT_EQ(pair.server->read(pair.fds[0], room), -1);
  }
  EXPECT_EQ(errno, ECONNABORTED);
  EXPECT_EQ(updates, 33);
}

}  // namespace
}  // namespace selfconn
