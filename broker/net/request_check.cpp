#include "broker/net/request_check.hpp"

#include <algorithm>

namespace godwit::net {
namespace {

constexpr std::string_view kTokenExtra = "!#$%&'*+-.^_`|~";  // RFC 9110 §5.6.2

bool is_lower_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || kTokenExtra.find(c) != std::string_view::npos;
  });
}

bool is_visible(char c) {
  return c > ' ' && c != 0x7f;
}

bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; });
}

}  // namespace

Result<void> check_request(const HttpRequest& request) {
  if (request.method.empty() || request.method.size() > 16 ||
      !std::all_of(request.method.begin(), request.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return Error{Code::invalid, "the method must be capital letters", "method"};
  if (!request.path.starts_with('/') || request.path.size() > 8192 ||
      !std::all_of(request.path.begin(), request.path.end(), [](char c) { return is_visible(c) && c != '#'; }))
    return Error{Code::invalid, "the path must begin with '/' and hold no spaces, control characters or '#'", "path"};
  for (const auto& [name, value] : request.headers) {
    if (!is_lower_token(name))
      return Error{Code::invalid, "header names are lower-case tokens, got '" + name + "'", "headers"};
    if (name == "host" || name == "content-length" || name == "transfer-encoding" || name == "connection" ||
        name == "keep-alive" || name == "upgrade" || name == "te" || name == "proxy-connection")
      return Error{Code::invalid, "header '" + name + "' belongs to the client", "headers"};
    if (!is_header_value(value))
      return Error{Code::invalid, "the value of header '" + name + "' holds control characters", "headers"};
  }
  return {};
}

}  // namespace godwit::net
