#include "plugins/xmpp/login/scram.hpp"

#include <charconv>

namespace xmpp {
namespace {

constexpr uint32_t kMostIterations = 1'000'000;  // about a second of work; servers ask for 4,096 to 100,000

std::string user_text(std::string_view user) {
  std::string out;
  for (const char c : user) {
    if (c == ',')
      out += "=2C";
    else if (c == '=')
      out += "=3D";
    else
      out += c;
  }
  return out;
}

// The value of attribute `name` in "a=...,b=...".
std::string_view value_of(std::string_view text, char name) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, end);
    if (part.size() >= 2 && part[0] == name && part[1] == '=') return part.substr(2);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

Scram::Scram(Hash hash, std::string_view user, std::string_view password, std::string nonce)
    : hash_(hash),
      password_(password),
      nonce_(std::move(nonce)),
      first_bare_("n=" + user_text(user) + ",r=" + nonce_) {}

std::optional<std::string> Scram::answer(std::string_view challenge) {
  const std::string_view nonce = value_of(challenge, 'r'), count = value_of(challenge, 'i');
  const auto salt = from_base64(value_of(challenge, 's'));
  uint32_t iterations = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), iterations);
  const bool is_number = error == std::errc() && end == count.data() + count.size();
  if (!nonce.starts_with(nonce_) || nonce.size() == nonce_.size() || !salt || salt->empty() || !is_number ||
      iterations == 0 || iterations > kMostIterations || challenge.starts_with("m="))
    return std::nullopt;
  const std::string salted = pbkdf2(hash_, password_, *salt, iterations);
  const std::string client_key = hmac(hash_, salted, "Client Key");
  const std::string final_bare = "c=biws,r=" + std::string(nonce);  // biws: base64 of "n,,"
  const std::string auth = first_bare_ + "," + std::string(challenge) + "," + final_bare;
  std::string proof = hmac(hash_, digest(hash_, client_key), auth);
  for (size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
  server_signature_ = hmac(hash_, hmac(hash_, salted, "Server Key"), auth);
  return final_bare + ",p=" + base64(proof);
}

bool Scram::is_proven(std::string_view server_final) const {
  return !server_signature_.empty() && value_of(server_final, 'v') == base64(server_signature_);
}

}  // namespace xmpp
