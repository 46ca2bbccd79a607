// Jid is an XMPP address local@domain/resource (RFC 7622), checked as far as a server could hold it against us: a bad
// `from` or `to` may close the whole link. Local part and domain are compared without regard to ASCII case, so they are
// kept in lower case; other scripts are passed on as they are (servers prepare them).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

struct Jid {
  std::string local, domain, resource;

  std::string bare() const { return local.empty() ? domain : local + "@" + domain; }
  std::string full() const { return resource.empty() ? bare() : bare() + "/" + resource; }

  // Nothing when it is no address.
  static std::optional<Jid> parse(std::string_view text);
};

}  // namespace xmpp
