// What a target's address names: a regid as the SDK gives it, or with a prefix an alias, an account or a topic.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mipush {

struct AddressKind {
  std::string_view prefix;  // of the address
  std::string_view path;    // of the call
  std::string_view field;   // that carries the targets
  std::string_view revoke_path;
  uint32_t most;                 // targets a call (pId 1559)
  std::string_view merged_path;  // of a call with a message of its own for each target; empty: there is none
};

// Xiaomi's names of calls: regid has V4 beside V3, with the same parameters; accounts stand in V2 only.
constexpr std::array<AddressKind, 4> kAddressKinds = {{
    {"", "/v3/message/regid", "registration_id", "regid", 1000, "/v2/multi_messages/regids"},
    {"alias:", "/v3/message/alias", "alias", "alias", 1000, "/v2/multi_messages/aliases"},
    {"account:", "/v2/message/user_account", "user_account", "user_account", 1000, "/v2/multi_messages/user_accounts"},
    {"topic:", "/v3/message/topic", "topic", "topic", 1, ""},
}};
enum AddressKindNo : uint8_t { kRegid, kAlias, kAccount, kTopic };

struct Address {
  uint8_t kind = kRegid;
  std::string_view name;
};

constexpr Address address_of(std::string_view text) {
  for (uint8_t kind = kAlias; kind <= kTopic; ++kind)
    if (text.starts_with(kAddressKinds[kind].prefix)) return {kind, text.substr(kAddressKinds[kind].prefix.size())};
  return {kRegid, text};
}

}  // namespace mipush
