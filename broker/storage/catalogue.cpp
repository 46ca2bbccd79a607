#include "broker/storage/catalogue.hpp"

namespace godwit {

Error kv_conflict(std::string_view key, uint64_t expected, uint64_t now) {
  const auto name = [](uint64_t version) { return version == 0 ? "absent" : "version " + std::to_string(version); };
  return Error{Code::conflict, "is " + name(now) + ", the writer expected " + name(expected), std::string(key)};
}

}  // namespace godwit
