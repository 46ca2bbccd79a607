// Proxy is the operator's way to the vendors: an HTTP proxy that takes CONNECT, "http://[user:password@]host:port".
//
// HTTP/1.1 hands that text to libcurl, HTTP/2 asks with a header of its own; so the text is read here by libcurl's
// parser, and user and password mean the same in both: "%40" is an '@'. Error texts never show the password.
#pragma once

#include <cstdint>
#include <string>

#include "broker/base/result.hpp"

namespace godwit::net {

struct Proxy {
  std::string host;
  uint16_t port = 0;
  std::string authorization;  // value of proxy-authorization; empty: none
  static Result<Proxy> parse(const std::string& text);
};

}  // namespace godwit::net
