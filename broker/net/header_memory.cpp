#include "broker/net/header_memory.hpp"

#include <algorithm>
#include <functional>

namespace godwit::net {

bool is_secret_header(std::string_view name) {
  return name == "authorization" || name == "proxy-authorization" || name == "cookie" || name == "x-api-key" ||
         name.ends_with("-token") || name.ends_with("-secret") || name.ends_with("-signature");
}

bool HeaderMemory::should_index(std::string_view name, std::string_view value) {
  if (is_secret_header(name)) return false;
  const uint64_t hash = std::hash<std::string_view>{}(value);
  const auto found = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& s) { return s.name == name; });
  if (found == seen_.end()) {
    if (seen_.size() == kNames) return false;
    seen_.push_back({std::string(name), {hash}, 1});
    return true;
  }
  Seen& s = *found;
  const auto end = s.values.begin() + static_cast<std::ptrdiff_t>(s.count);
  if (std::find(s.values.begin(), end, hash) != end) return true;
  if (s.count == kValues) return false;
  s.values[s.count++] = hash;
  return true;
}

}  // namespace godwit::net
