#include "plugins/selfconn/stream/ticket_keys.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace selfconn {
namespace {

struct Sealed {
  unsigned char name[16];
  unsigned char iv[EVP_MAX_IV_LENGTH];
};

// Runs prepare as OpenSSL would.
int call(TicketKeys& keys, Sealed& ticket, bool seal, TicketKeys::Clock::time_point now) {
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> mac(EVP_MAC_CTX_new(hmac.get()), EVP_MAC_CTX_free);
  return keys.prepare(ticket.name, ticket.iv, cipher.get(), mac.get(), seal, now);
}

TEST(TicketKeys, OpenWhatTheySealedForOneRotation) {
  TicketKeys keys;
  const TicketKeys::Clock::time_point start{};
  Sealed ticket{};
  ASSERT_EQ(call(keys, ticket, true, start), 1);
  EXPECT_EQ(call(keys, ticket, false, start + std::chrono::hours(11)), 1);
  EXPECT_EQ(call(keys, ticket, false, start + std::chrono::hours(13)), 2) << "still good, but give a new one";
  EXPECT_EQ(call(keys, ticket, false, start + std::chrono::hours(26)), 0) << "two rotations later it is a stranger's";
}

TEST(TicketKeys, DoNotKnowTheTicketsOfAnotherServer) {
  TicketKeys ours, theirs;
  Sealed ticket{};
  ASSERT_EQ(call(theirs, ticket, true, {}), 1);
  EXPECT_EQ(call(ours, ticket, false, {}), 0);
}

}  // namespace
}  // namespace selfconn
