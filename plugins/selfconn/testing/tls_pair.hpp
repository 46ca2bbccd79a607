// A server's side of ours and OpenSSL's client, joined by a socket pair and driven by one thread.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "plugins/selfconn/stream/tls.hpp"
#include "plugins/selfconn/testing/certificate.hpp"

namespace selfconn::testing {

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Both ends of one connection in one thread: who must wait lets the other go on.
struct TlsPair {
  struct Options {
    const char* suite = "TLS_AES_128_GCM_SHA256";
    uint64_t rekey_after = uint64_t{1} << 23;
    uint8_t max_fragment = TLSEXT_max_fragment_length_DISABLED;
    int max_version = 0;
    const char* ciphers12 = nullptr;
    SSL_SESSION* resume = nullptr;
    const char* early = nullptr;        // said before the handshake
    TlsPair* same_server_as = nullptr;  // whose tickets are known; lives longer
    bool is_refused = false;
  };
  TlsPair() : TlsPair(Options{}) {}
  explicit TlsPair(const Options& options) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    if (!options.same_server_as)
      tls = std::move(*TlsContext::load(certificate.cert_file(), certificate.key_file(), options.rekey_after));
    server = (options.same_server_as ? *options.same_server_as->tls : *tls).make_stream(fds[0]);
    SSL_CTX_set_ciphersuites(context, options.suite);
    if (options.max_version) SSL_CTX_set_max_proto_version(context, options.max_version);
    if (options.ciphers12) SSL_CTX_set_cipher_list(context, options.ciphers12);
    client = SSL_new(context);
    SSL_set_fd(client, fds[1]);
    if (options.max_fragment) SSL_set_tlsext_max_fragment_length(client, options.max_fragment);
    if (options.resume) SSL_set_session(client, options.resume);
    if (options.early) {
      size_t written = 0;
      EXPECT_EQ(SSL_write_early_data(client, options.early, std::strlen(options.early), &written), 1);
    }
    uint8_t room[16];
    for (int i = 0; i < 20 && SSL_connect(client) != 1; ++i) server->read(fds[0], room);
    EXPECT_EQ(SSL_is_init_finished(client), options.is_refused ? 0 : 1);
    if (options.is_refused) return;
    EXPECT_EQ(server->read(fds[0], room), -1);  // takes the client's Finished
    EXPECT_EQ(errno, EAGAIN);
  }
  ~TlsPair() {
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

  Certificate certificate;
  int fds[2];
  std::unique_ptr<TlsContext> tls;
  std::unique_ptr<Stream> server;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* client = nullptr;
};

}  // namespace selfconn::testing
