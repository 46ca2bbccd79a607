// TicketKeys seals and opens session tickets with keys that change by themselves: the newest seals, it and the one
// before open; older ones are wiped. Safe from any thread.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <mutex>

namespace selfconn {

class TicketKeys {
 public:
  using Clock = std::chrono::steady_clock;  // of keys, not of anybody's messages: no test depends on it
  static constexpr std::chrono::hours kLife{12};

  TicketKeys() = default;
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // For SSL_CTX_set_tlsext_ticket_key_evp_cb: 1 = ready, 2 = ready and to be renewed, 0 = unknown key, -1 = failed.
  int prepare(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal,
              Clock::time_point now = Clock::now());

 private:
  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher, mac;
    Clock::time_point born;
    bool is_set = false;
  };
  bool rotate(Clock::time_point now);
  static int use(const Key& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal);

  std::mutex mutex_;
  Key newest_{}, older_{};  // guarded by mutex_
};

}  // namespace selfconn
