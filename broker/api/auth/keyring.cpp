#include "broker/api/auth/keyring.hpp"

#include <algorithm>
#include <cstring>

#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

constexpr std::string_view kHashed = "sha256:";

Result<std::string> digest_of(const std::string& key, const std::string& where) {
  if (key.starts_with(kHashed)) {
    auto digest = from_hex(std::string_view(key).substr(kHashed.size()));
    if (!digest || digest->size() != 32)
      return Error{Code::invalid, where + ": after \"sha256:\" belong 64 hexadecimal digits", where};
    return *std::move(digest);
  }
  const auto plain = [](char c) { return c > ' ' && c < 0x7f; };
  if (key.size() < 8 || key.size() > 256 || !std::all_of(key.begin(), key.end(), plain))
    return Error{Code::invalid, where + ": a key is 8 to 256 visible ASCII characters without spaces", where};
  return sha256(key);
}

std::string at(const std::string& list, size_t i) {
  return list + "[" + std::to_string(i) + "]";
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::nobody:
      return "nobody";
    case Role::server:
      return "server";
    case Role::client:
      return "client";
    case Role::device:
      return "device";
    case Role::admin:
      return "admin";
  }
  return "nobody";
}

bool AppAccess::admits(const http::IpAddress& address) const {
  return allowed.empty() ||
         std::any_of(allowed.begin(), allowed.end(), [&](const http::IpNetwork& n) { return n.contains(address); });
}

size_t Keyring::FirstBytes::operator()(const std::string& digest) const {
  size_t out = 0;
  std::memcpy(&out, digest.data(), std::min(sizeof out, digest.size()));
  return out;
}

Result<void> Keyring::add(const std::string& key, Grant grant, const std::string& where) {
  auto digest = digest_of(key, where);
  if (!digest) return std::move(digest).error();
  if (!grants_.emplace(*digest, grant).second)
    return Error{Code::invalid, where + ": this key is there already; every key has one app and one role", where};
  listed_.push_back({grant.app ? grant.app->id : "", grant.role, to_hex(*digest).substr(0, 12)});
  return {};
}

Result<std::shared_ptr<const Keyring>> Keyring::build(const ApiKeys& keys, const Keyring* before) {
  auto out = std::make_shared<Keyring>();
  for (size_t a = 0; a < keys.apps.size(); ++a) {
    const ApiApp& app = keys.apps[a];
    const std::string where = at("apps", a);
    if (app.id.empty()) return Error{Code::invalid, where + ".id: is missing", where + ".id"};
    if (out->app(app.id))
      return Error{Code::invalid, where + ".id: there is an app '" + app.id + "' already", where + ".id"};
    AppAccess& access = *out->apps_.emplace_back(std::make_unique<AppAccess>());
    access.id = app.id;
    access.rules = std::make_shared<const AppRules>(app.rules);
    for (size_t i = 0; i < app.allow_ips.size(); ++i) {
      auto network = http::IpNetwork::parse(app.allow_ips[i]);
      const std::string here = at(where + ".allow_ips", i);
      if (!network) return Error{Code::invalid, here + ": " + network.error().message, here};
      access.allowed.push_back(*network);
    }
    const AppAccess* old = before ? before->app(app.id) : nullptr;
    access.quota = old ? old->quota : std::make_shared<AppQuota>();
    access.quota->requests.set_rate(app.requests_per_second);
    access.quota->messages.set_rate(app.messages_per_second);
    for (size_t i = 0; i < app.server_keys.size(); ++i)
      if (auto done = out->add(app.server_keys[i], {Role::server, &access}, at(where + ".server_keys", i)); !done)
        return std::move(done).error();
    for (size_t i = 0; i < app.client_keys.size(); ++i)
      if (auto done = out->add(app.client_keys[i], {Role::client, &access}, at(where + ".client_keys", i)); !done)
        return std::move(done).error();
  }
  for (size_t i = 0; i < keys.admin_keys.size(); ++i)
    if (auto done = out->add(keys.admin_keys[i], {Role::admin, nullptr}, at("admin_keys", i)); !done)
      return std::move(done).error();
  return std::shared_ptr<const Keyring>(std::move(out));
}

Keyring::Grant Keyring::find(std::string_view key) const {
  const std::string digest = sha256(key);
  const auto it = grants_.find(digest);
  if (it == grants_.end() || !equal_constant_time(it->first, digest)) return {};
  return it->second;
}

const AppAccess* Keyring::app(std::string_view id) const {
  for (const auto& app : apps_)
    if (app->id == id) return app.get();
  return nullptr;
}

}  // namespace godwit
