// Scram is the client's side of SASL SCRAM (RFC 5802; SHA-256: RFC 7677) without channel binding: texts in, texts out.
//
// The password never leaves; the server must prove that it knows it too, and a server that cannot is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugins/xmpp/login/crypto.hpp"

namespace xmpp {

class Scram {
 public:
  Scram(Hash hash, std::string_view user, std::string_view password, std::string nonce);

  std::string first() const { return "n,," + first_bare_; }
  // The answer to the server's challenge; nothing when it is not one (another nonce, absurd iteration count, ...).
  std::optional<std::string> answer(std::string_view challenge);
  // Whether the server's last word proves that it knows the password.
  bool is_proven(std::string_view server_final) const;

 private:
  const Hash hash_;
  const std::string password_, nonce_, first_bare_;
  std::string server_signature_;
};

}  // namespace xmpp
