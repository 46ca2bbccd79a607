// TLS 1.2 stays with OpenSSL; what a client may ask for there, and what not.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>

#include "plugins/selfconn/testing/tls_pair.hpp"

namespace selfconn {
namespace {

using Pair = testing::TlsPair;

TEST(Tls12, CarriesBytesBothWays) {
  for (const char* cipher :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    Pair pair({.max_version = TLS1_2_VERSION, .ciphers12 = cipher});
    const std::string text(100'000, 'x');
    EXPECT_EQ(pair.client_hears(text), text) << cipher;
    ASSERT_TRUE(pair.client_says("hello"));
    EXPECT_EQ(pair.server_hears(5), "hello") << cipher;
  }
}

TEST(Tls12, SuitesWithoutForwardSecrecyOrWithPaddingOraclesAreNotSpoken) {
  for (const char* cipher :
       {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "AES256-SHA"}) {
    Pair pair({.max_version = TLS1_2_VERSION, .ciphers12 = cipher, .is_refused = true});
    EXPECT_NE(SSL_is_init_finished(pair.client), 1) << cipher;
  }
}

TEST(Tls12, ARenegotiationIsRefusedAndTheConnectionGoesOn) {
  Pair pair({.max_version = TLS1_2_VERSION});
  ASSERT_EQ(SSL_renegotiate(pair.client), 1);
  SSL_do_handshake(pair.client);  // sends the new ClientHello
  EXPECT_EQ(pair.server_hears(1), "");
  int warned = 0;
  SSL_set_app_data(pair.client, &warned);
  SSL_set_info_callback(pair.client, [](const SSL* ssl, int where, int value) {
    if (where == SSL_CB_READ_ALERT) *static_cast<int*>(SSL_get_app_data(ssl)) = value & 0xFF;
  });
  char room[10];
  SSL_read(pair.client, room, sizeof room);
  EXPECT_EQ(warned, 100);  // no_renegotiation
}

}  // namespace
}  // namespace selfconn
