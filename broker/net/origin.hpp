// Origin: scheme, host and port of a vendor's address, checked once so that everything after may trust it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"

namespace godwit::net {

struct Origin {
  bool tls = true;
  std::string host;  // without the brackets of an IPv6 address
  uint16_t port = 443;

  // "https://host:port", default ports included; IPv6 in brackets.
  std::string text() const;
  // What stands in the host header: without the scheme's default port.
  std::string authority() const;

  // Takes scheme://host[:port] with nothing after it but one '/'. Code::invalid says what is wrong.
  static Result<Origin> parse(std::string_view text);
};

}  // namespace godwit::net
