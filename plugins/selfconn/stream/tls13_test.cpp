// A TLS 1.3 connection after OpenSSL let go of it, against OpenSSL's client.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "plugins/selfconn/stream/tls.hpp"
#include "plugins/selfconn/testing/certificate.hpp"

namespace selfconn {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Both ends of one connection in one thread: who must wait lets the other go on.
struct Pair {
  struct Options {
    const char* suite = "TLS_AES_128_GCM_SHA256";
    uint64_t rekey_after = uint64_t{1} << 23;
    uint8_t max_fragment = TLSEXT_max_fragment_length_DISABLED;
  };
  Pair() : Pair(Options{}) {}
  explicit Pair(const Options& options) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    tls = std::move(*TlsContext::load(certificate.cert_file(), certificate.key_file(), options.rekey_after));
    server = tls->make_stream(fds[0]);
    SSL_CTX_set_ciphersuites(context, options.suite);
    client = SSL_new(context);
    SSL_set_fd(client, fds[1]);
    if (options.max_fragment) SSL_set_tlsext_max_fragment_length(client, options.max_fragment);
    uint8_t room[16];
    for (int i = 0; i < 20 && SSL_connect(client) != 1; ++i) server->read(fds[0], room);
    EXPECT_EQ(SSL_is_init_finished(client), 1);
    EXPECT_EQ(server->read(fds[0], room), -1);  // takes the client's Finished
    EXPECT_EQ(errno, EAGAIN);
  }
  ~Pair() {
    SSL_free(client);
    SSL_CTX_free(context);
    ::close(fds[0]);
    ::close(fds[1]);
  }

  bool client_says(std::string_view text) {
    return SSL_write(client, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
  }
  std::string server_hears(size_t size) {
    std::string all(size, 0);
    size_t got = 0;
    while (got < size) {
      const ssize_t n = server->read(fds[0], {reinterpret_cast<uint8_t*>(all.data()) + got, size - got});
      if (n <= 0) break;
      got += static_cast<size_t>(n);
    }
    return all.substr(0, got);
  }
  // The client reads meanwhile: nothing fits a socket.
  std::string client_hears(std::string_view said) {
    std::string heard;
    std::string room(70'000, 0);
    for (int idle = 0; idle < 3;) {
      ssize_t sent = 0;
      if (!said.empty()) sent = server->write(fds[0], bytes_of(said));
      if (sent > 0) said.remove_prefix(static_cast<size_t>(sent));
      const int n = SSL_read(client, room.data(), static_cast<int>(room.size()));
      if (n > 0) heard.append(room.data(), static_cast<size_t>(n));
      idle = sent > 0 || n > 0 ? 0 : idle + 1;
    }
    EXPECT_TRUE(said.empty());
    return heard;
  }

  testing::Certificate certificate;
  int fds[2];
  std::unique_ptr<TlsContext> tls;
  std::unique_ptr<Stream> server;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* client = nullptr;
};

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
