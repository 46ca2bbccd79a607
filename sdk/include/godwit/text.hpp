// Text across the ABI: gw_str on the wire, std::string_view in C++. Both borrow; neither is zero-terminated.
#pragma once

#include <string_view>

#include <godwit/abi.h>

namespace godwit {
inline namespace sdk {

constexpr std::string_view view(gw_str s) noexcept {
  return s.ptr ? std::string_view(s.ptr, s.len) : std::string_view();
}

// An empty view keeps its pointer, so that "" stays present and only a default-constructed view means absent.
constexpr gw_str str(std::string_view s) noexcept {
  return gw_str{s.data(), s.size()};
}

// For optional fields: an empty text is sent as absent.
constexpr gw_str str_or_absent(std::string_view s) noexcept {
  return s.empty() ? gw_str{nullptr, 0} : str(s);
}

}  // namespace sdk
}  // namespace godwit
