#include "plugins/xmpp/xml/jid.hpp"

#include <algorithm>

#include "plugins/xmpp/xml/escape.hpp"

namespace xmpp {
namespace {

constexpr size_t kLongestPart = 1023;  // bytes (RFC 7622 §3)

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
// Beside escaping, XML would have to change it: invalid UTF-8 or a forbidden character.
bool is_clean(std::string_view part) {
  return !part.empty() && part.size() <= kLongestPart && escaped(part).find("\xEF\xBF\xBD") == std::string::npos &&
         std::none_of(part.begin(), part.end(), is_control);
}
bool is_local(std::string_view part) {
  return is_clean(part) && part.find_first_of("\"&'/:<>@ ") == std::string_view::npos;
}
bool is_domain(std::string_view part) {
  return is_clean(part) && part.find_first_of("\"&'/<>@ ") == std::string_view::npos && part.front() != '.';
}
std::string lower(std::string_view part) {
  std::string out(part);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

std::optional<Jid> Jid::parse(std::string_view text) {
  Jid jid;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (!is_clean(text.substr(slash + 1))) return std::nullopt;
    jid.resource = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  const size_t at = text.find('@');
  if (at != std::string_view::npos) {
    if (!is_local(text.substr(0, at))) return std::nullopt;
    jid.local = lower(text.substr(0, at));
    text = text.substr(at + 1);
  }
  if (!is_domain(text)) return std::nullopt;
  jid.domain = lower(text);
  return jid;
}

}  // namespace xmpp
