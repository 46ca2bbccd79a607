#include "plugins/selfconn/stream/tls13_handover.hpp"

#include <openssl/crypto.h>

#include <string_view>

namespace selfconn::tls13 {
namespace {

int value_of(char hex) {
  return hex <= '9' ? hex - '0' : (hex | 0x20) - 'a' + 10;
}

}  // namespace

void Handover::prepare(SSL_CTX* context) {
  SSL_CTX_set_keylog_callback(context, on_key_log);
  SSL_CTX_set_msg_callback(context, on_message);
}

Handover::Handover(SSL* ssl) : ssl_(ssl) {
  SSL_set_app_data(ssl_, this);
}

Handover::~Handover() {
  SSL_set_app_data(ssl_, nullptr);
  OPENSSL_cleanse(theirs_.bytes.data(), theirs_.bytes.size());
  OPENSSL_cleanse(ours_.bytes.data(), ours_.bytes.size());
}

// LABEL SPACE client-random SPACE secret, in hex (NSS key log format).
void Handover::on_key_log(const SSL* ssl, const char* line) {
  auto* const self = static_cast<Handover*>(SSL_get_app_data(ssl));
  const std::string_view text(line);
  Secret* const secret = !self                                          ? nullptr
                         : text.starts_with("CLIENT_TRAFFIC_SECRET_0 ") ? &self->theirs_
                         : text.starts_with("SERVER_TRAFFIC_SECRET_0 ") ? &self->ours_
                                                                        : nullptr;
  if (!secret) return;
  const std::string_view hex = text.substr(text.rfind(' ') + 1);
  if (hex.size() > 2 * secret->bytes.size()) return;
  secret->size = hex.size() / 2;
  for (size_t i = 0; i < secret->size; ++i)
    secret->bytes[i] = static_cast<uint8_t>(value_of(hex[2 * i]) << 4 | value_of(hex[2 * i + 1]));
}

void Handover::on_message(int is_ours, int, int type, const void* bytes, size_t size, SSL* ssl, void*) {
  auto* const self = static_cast<Handover*>(SSL_get_app_data(ssl));
  if (!self || is_ours == 0) return;
  if (type == SSL3_RT_HANDSHAKE && size > 0 && *static_cast<const uint8_t*>(bytes) == SSL3_MT_FINISHED)
    self->is_finished_sent_ = true;
  else if (type == SSL3_RT_HEADER && self->is_finished_sent_)
    ++self->records_;
}

std::optional<Handover::Keys> Handover::keys() const {
  if (SSL_version(ssl_) != TLS1_3_VERSION || SSL_has_pending(ssl_) != 0) return std::nullopt;
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl_);
  const auto aead = cipher ? aead_of(SSL_CIPHER_get_protocol_id(cipher)) : std::nullopt;
  const size_t size = aead == Aead::aes_256_gcm ? 48 : 32;
  if (!aead || theirs_.size != size || ours_.size != size) return std::nullopt;
  const auto secret = [size](const Secret& s) { return std::span<const uint8_t>(s.bytes).first(size); };
  const uint8_t limit = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl_));
  return Keys{TrafficKey(*aead, secret(theirs_), 0), TrafficKey(*aead, secret(ours_), records_),
              limit == TLSEXT_max_fragment_length_DISABLED ? kMaxContent : size_t{256} << limit};
}

}  // namespace selfconn::tls13
