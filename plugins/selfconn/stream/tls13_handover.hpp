// Handover listens to a handshake of OpenSSL's and tells, when it is done, the keys of a TLS 1.3 connection, so that
// the connection can go on without OpenSSL's object.
//
// OpenSSL gives no keys away, but it tells the traffic secrets to a key log, and each record's head to a message
// callback: that is the number of records that we have sent under the new key (a session ticket). It reads exactly the
// bytes it needs, so the next byte of the socket is the first record of the peer's new key.
//
// Lives while its connection shakes hands. One thread at a time.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <optional>

#include "plugins/selfconn/stream/tls13_key.hpp"

namespace selfconn::tls13 {

class Handover {
 public:
  // Once for the context.
  static void prepare(SSL_CTX* context);

  // REQUIRES: `ssl`, a server's side of the prepared context, lives longer, and has not begun.
  explicit Handover(SSL* ssl);
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  struct Keys {
    TrafficKey theirs, ours;
    size_t max_fragment;
  };
  // After the handshake. Nothing: not 1.3, so OpenSSL has to go on.
  std::optional<Keys> keys() const;

 private:
  struct Secret {
    std::array<uint8_t, 48> bytes;
    size_t size = 0;
  };
  static void on_key_log(const SSL* ssl, const char* line);
  static void on_message(int is_ours, int version, int type, const void* bytes, size_t size, SSL* ssl, void*);

  SSL* const ssl_;
  Secret theirs_, ours_;
  bool is_finished_sent_ = false;  // the records behind our Finished are under our traffic secret
  uint64_t records_ = 0;
};

}  // namespace selfconn::tls13
