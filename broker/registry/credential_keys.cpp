#include "broker/registry/credential_keys.hpp"

#include <algorithm>
#include <cassert>
#include <set>

#include "broker/base/bytes.hpp"
#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

using Keys = std::vector<CredentialSigner::Key>;

constexpr std::string_view kName = "registry/credential_keys";
constexpr uint8_t kFormat = 1;

std::string encode(const Keys& keys) {
  std::string value;
  ByteWriter out(value);
  out.u8(kFormat);
  out.varint(keys.size());
  for (const auto& key : keys) {
    out.u8(key.id);
    out.str(key.secret);
  }
  return value;
}

Result<Keys> decode(std::string_view value) {
  ByteReader in(value);
  Keys keys;
  std::set<uint8_t> ids;
  bool sound = in.u8() == kFormat;
  for (uint64_t n = in.varint(); sound && n > 0 && !in.failed(); --n) {
    CredentialSigner::Key key{in.u8(), std::string(in.str())};
    sound = key.secret.size() == CredentialSigner::kSecretBytes && ids.insert(key.id).second;
    keys.push_back(std::move(key));
  }
  if (!sound || !in.at_end() || keys.empty())
    return Error{Code::io,
                 "the keys that sign device credentials are damaged; restore the catalogue from a backup, or remove "
                 "this value and let every device register again",
                 std::string(kName)};
  return keys;
}

Result<void> store(Catalogue& catalogue, const Keys& keys) {
  switch (catalogue.put_value(kName, encode(keys))) {
    case Fate::ok:
      return {};
    case Fate::unknown:
      return Error{Code::unknown, "it is not known whether the catalogue stored the keys; start again",
                   std::string(kName)};
    case Fate::failed:
    case Fate::fenced:
      break;
  }
  return Error{Code::io, "the catalogue could not store the keys; see its own message for why", std::string(kName)};
}

// The keys of the catalogue; empty when there are none yet.
Result<Keys> load(Catalogue& catalogue) {
  auto value = catalogue.get_value(kName);
  if (!value) return std::move(value).error().with("loading the keys that sign device credentials");
  if (!*value) return Keys{};
  return decode(**value);
}

// An id that no key of the list has.
uint8_t free_id(const Keys& keys) {
  uint8_t id = keys.empty() ? 1 : static_cast<uint8_t>(keys.back().id + 1);
  while (std::any_of(keys.begin(), keys.end(), [id](const auto& k) { return k.id == id; })) ++id;
  return id;
}

}  // namespace

Result<Keys> load_or_create_credential_keys(Catalogue& catalogue) {
  auto keys = load(catalogue);
  if (!keys || !keys->empty()) return keys;
  return rotate_credential_keys(catalogue, 1);
}

Result<Keys> rotate_credential_keys(Catalogue& catalogue, size_t keep) {
  assert(keep >= 1 && keep <= 100);
  auto keys = load(catalogue);
  if (!keys) return keys;
  keys->push_back({free_id(*keys), random_bytes(CredentialSigner::kSecretBytes)});
  if (keys->size() > keep) keys->erase(keys->begin(), keys->end() - static_cast<ptrdiff_t>(keep));
  if (auto stored = store(catalogue, *keys); !stored) return std::move(stored).error();
  return keys;
}

}  // namespace godwit
