// The bodies of REGISTRY records, read. Writing is registry_record:: in registry.hpp, where callers look for it.
// The format stands in docs/formats/registry.md.
#pragma once

#include <string_view>

#include "broker/base/result.hpp"
#include "broker/registry/device_fields.hpp"

namespace godwit {

enum class RegistryRecordKind : uint8_t { put = 1, remove, topic, token_dead, token_changed, revoke };

// Views point into the body. A reader keeps one and fills it again and again.
struct RegistryRecord {
  RegistryRecordKind kind = RegistryRecordKind::put;
  std::string_view app, device_id;
  WallMs at_ms = 0;
  std::string_view topic, channel, old_token, token;
  bool subscribed = false;
  WallMs since_ms = 0;
  DeviceFields device;  // of a put; its app and id are set too
};

// Code::unsupported for a kind or format that this version does not know, Code::invalid for damage.
Result<void> parse_registry_record(std::string_view body, RegistryRecord& out);

}  // namespace godwit
