#include "plugins/selfconn/stream/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "plugins/selfconn/stream/ticket_keys.hpp"
#include "plugins/selfconn/stream/tls13_handover.hpp"
#include "plugins/selfconn/stream/tls13_records.hpp"

namespace selfconn {
namespace {

constexpr size_t kMaxRecord = 16 * 1024;  // of plain text

// Of 1.2, what has forward secrecy and no padding to be an oracle of; 1.3 has only such (RFC 9325, 4.2).
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

std::string openssl_text() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : "unknown error";
}

class Tls final : public Stream {
 public:
  Tls(SSL_CTX* context, int fd, uint64_t rekey_after) : ssl_(SSL_new(context)), rekey_after_(rekey_after) {
    if (!ssl_) throw std::bad_alloc();
    handover_ = std::make_unique<tls13::Handover>(ssl_);
    SSL_set_fd(ssl_, fd);
    SSL_set_accept_state(ssl_);
  }
  ~Tls() override {
    handover_.reset();
    SSL_free(ssl_);
  }

  ssize_t read(int fd, std::span<uint8_t> room) override {
    if (!records_ && !shake_hands()) return -1;
    if (records_) return records_->read(fd, room);
    ERR_clear_error();
    const int n = SSL_read(ssl_, room.data(), static_cast<int>(std::min<size_t>(room.size(), INT32_MAX)));
    return n > 0 ? n : explain(n);
  }

  ssize_t write(int fd, std::span<const uint8_t> head, std::span<const uint8_t> body) override {
    if (!records_ && !shake_hands()) return -1;
    if (records_) return records_->write(fd, head, body);
    ERR_clear_error();
    // A record is made from one span, so a head is put in front of as much of the body as a record holds.
    std::array<uint8_t, kMaxRecord> record;
    std::span<const uint8_t> bytes = head.empty() ? body : head;
    if (!head.empty() && !body.empty()) {
      const size_t of_body = std::min(body.size(), record.size() - std::min(head.size(), record.size()));
      std::memcpy(record.data(), head.data(), head.size());
      std::memcpy(record.data() + head.size(), body.data(), of_body);
      bytes = std::span<const uint8_t>(record).first(head.size() + of_body);
    }
    if (bytes.empty()) return 0;
    const int n = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    return n > 0 ? n : explain(n);
  }

  void finish(int fd) override {
    if (records_) return records_->finish(fd);
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
    ERR_clear_error();
  }

 private:
  // False: not done, and errno says why. Once it is done, 1.3 goes on without OpenSSL's object.
  bool shake_hands() {
    if (!handover_) return true;
    ERR_clear_error();
    if (const int done = SSL_do_handshake(ssl_); done != 1) {
      if (explain(done) == 0) errno = ECONNRESET;
      return false;
    }
    const auto keys = handover_->keys();
    handover_.reset();
    if (keys) {
      records_.emplace(keys->theirs, keys->ours, keys->max_fragment, rekey_after_);
      SSL_free(ssl_);
      ssl_ = nullptr;
    }
    return true;
  }

  ssize_t explain(int result) {
    const int saved = errno;
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
      case SSL_ERROR_ZERO_RETURN:
        return 0;
      case SSL_ERROR_SYSCALL:
        errno = saved ? saved : ECONNRESET;
        return -1;
      default:
        errno = ECONNABORTED;  // an alert was sent where TLS has one; there is nothing to add
        return -1;
    }
  }

  std::optional<tls13::Records> records_;      // after the handshake of 1.3
  SSL* ssl_;                                   // until then; 1.2 stays with it
  std::unique_ptr<tls13::Handover> handover_;  // while the handshake lasts
  const uint64_t rekey_after_;
};

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                    void*) {
  // In our order: a browser offers http/1.1 for a WebSocket, MQTT clients "mqtt" or nothing.
  static constexpr unsigned char kOurs[] = "\x04mqtt\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs - 1, in, in_size);
  *out = chosen;
  // A client that offers something else is told nothing rather than turned away: the port says what is spoken here.
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int prepare_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int seal) {
  auto* keys = static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return keys->prepare(name, iv, cipher, mac, seal == 1);
}

}  // namespace

TlsContext::TlsContext(uint64_t rekey_after)
    : tickets_(std::make_unique<TicketKeys>()), context_(SSL_CTX_new(TLS_server_method())), rekey_after_(rekey_after) {
  if (!context_) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_mode(context_,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_cipher_list(context_, kCiphers12);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context_, 1);
  SSL_CTX_set_app_data(context_, tickets_.get());
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context_, prepare_ticket);
  tls13::Handover::prepare(context_);
  SSL_CTX_set_alpn_select_cb(context_, choose_protocol, nullptr);
  static constexpr unsigned char kSessionContext[] = "godwit-selfconn";
  SSL_CTX_set_session_id_context(context_, kSessionContext, sizeof kSessionContext - 1);
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

godwit::Result<std::unique_ptr<TlsContext>> TlsContext::load(const std::string& cert_file, const std::string& key_file,
                                                             uint64_t rekey_after) {
  ERR_clear_error();
  std::unique_ptr<TlsContext> made(new TlsContext(rekey_after));
  const auto fail = [](const char* property, const std::string& file, const char* what) {
    return godwit::Error{GW_E_INVALID, std::string(what) + " " + file + ": " + openssl_text(),
                         std::string("/tls/") + property};
  };
  if (SSL_CTX_use_certificate_chain_file(made->context_, cert_file.c_str()) != 1)
    return fail("cert_file", cert_file, "cannot use the certificate file");
  if (SSL_CTX_use_PrivateKey_file(made->context_, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return fail("key_file", key_file, "cannot use the key file");
  if (SSL_CTX_check_private_key(made->context_) != 1)
    return fail("key_file", key_file, "the key does not belong to the certificate:");
  return made;
}

std::unique_ptr<Stream> TlsContext::make_stream(int fd) {
  return std::make_unique<Tls>(context_, fd, rekey_after_);
}

}  // namespace selfconn
