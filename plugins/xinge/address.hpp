// What a target's address names: a token as the SDK gives it, or with a prefix an account or a tag.
#pragma once

#include <cstdint>
#include <string_view>

namespace xinge {

enum class Kind : uint8_t { token, account, tag };

struct Address {
  Kind kind = Kind::token;
  std::string_view name;
};

constexpr Address address_of(std::string_view text) {
  if (text.starts_with("account:")) return {Kind::account, text.substr(8)};
  if (text.starts_with("tag:")) return {Kind::tag, text.substr(4)};
  return {Kind::token, text};
}

}  // namespace xinge
