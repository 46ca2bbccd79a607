// Keyring knows who a key belongs to. Immutable: a reload builds a new one and swaps it in; requests that are under way
// keep the old one. Keys are kept as SHA-256 only, looked up by that, and compared in constant time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/api/auth/token_bucket.hpp"
#include "broker/api/http/ip.hpp"
#include "broker/api/options.hpp"
#include "broker/base/result.hpp"

namespace godwit {

enum class Role : uint8_t { nobody, server, client, device, admin };
std::string_view to_string(Role);

// What outlives a reload: the buckets keep their level.
struct AppQuota {
  TokenBucket requests, messages;
};

struct AppAccess {
  std::string id;
  std::vector<http::IpNetwork> allowed;  // of server calls; empty: from anywhere
  std::shared_ptr<AppQuota> quota;       // shared with the keyrings before and after
  std::shared_ptr<const AppRules> rules;

  bool admits(const http::IpAddress& address) const;
};

class Keyring {
 public:
  struct Grant {
    Role role = Role::nobody;
    const AppAccess* app = nullptr;  // the keyring's own; null for admins
  };

  // Errors name the place in the configuration, never the key. `before` hands on its apps' quotas.
  static Result<std::shared_ptr<const Keyring>> build(const ApiKeys& keys, const Keyring* before);

  // nobody when no such key is known.
  Grant find(std::string_view key) const;
  const AppAccess* app(std::string_view id) const;

  // For people: what there is, without what would let anybody in.
  struct Listed {
    std::string app;  // empty for admin keys
    Role role;
    std::string sha256_prefix;  // 12 hexadecimal digits
  };
  const std::vector<Listed>& list() const { return listed_; }

 private:
  struct FirstBytes {  // SHA-256 is as good a hash as there is
    size_t operator()(const std::string& digest) const;
  };
  Result<void> add(const std::string& key, Grant grant, const std::string& where);

  std::vector<std::unique_ptr<AppAccess>> apps_;
  std::unordered_map<std::string, Grant, FirstBytes> grants_;
  std::vector<Listed> listed_;
};

}  // namespace godwit
